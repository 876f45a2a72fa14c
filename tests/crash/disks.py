"""Disks that fail, die or forget: the store's operations with a fault at the n-th, and mutants of the protocol."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from corpus.local_store import Disk

Result = TypeVar("Result")


class Fault(OSError):
    """An injected failure."""


class CountingDisk(Disk):
    """Fails, or dies after, the n-th operation (1-based) on the disk under it; n = 0 only counts."""

    def __init__(self, at: int = 0, *, die: bool = False, under: Disk | None = None) -> None:
        self.at, self.die, self.done, self.under = at, die, 0, under or Disk()

    def _step(self) -> None:
        self.done += 1
        if self.done == self.at and not self.die:
            raise Fault(5, "injected")

    def _after(self) -> None:
        if self.done == self.at and self.die:
            raise KeyboardInterrupt  # like a death: no handler of the store may clean up after it

    def _counted(self, operation: Callable[..., Result], *told: object) -> Result:
        self._step()
        result = operation(*told)
        self._after()
        return result

    def write(self, path: Path, data: bytes) -> None:
        self._counted(self.under.write, path, data)

    def fsync(self, path: Path) -> None:
        self._counted(self.under.fsync, path)

    def create(self, path: Path) -> int:
        return self._counted(self.under.create, path)

    def append(self, file: int, data: bytes) -> None:
        self._step()
        self.under.append(file, data[: len(data) // 2])  # a death may fall into the middle of a write
        self._after()
        self.under.append(file, data[len(data) // 2 :])

    def flush(self, file: int) -> None:
        self._counted(self.under.flush, file)

    def link(self, source: Path, target: Path) -> None:
        self._counted(self.under.link, source, target)

    def rename(self, source: Path, target: Path) -> None:
        self._counted(self.under.rename, source, target)

    def unlink(self, path: Path) -> None:
        if path.exists():
            self._counted(self.under.unlink, path)


class ForgettingDisk(Disk):
    """A machine whose power will be cut: bytes and names that were not synced are in its memory only, and are lost."""

    def __init__(self) -> None:
        self.unsynced: dict[int, tuple[list[Path], int]] = {}  # inode -> names, and bytes that are safe
        self.safe: set[Path] = set()  # names whose folder was synced after they came to be
        self.moved: dict[Path, Path] = {}  # new name -> the safe old one, which a cut brings back

    def write(self, path: Path, data: bytes) -> None:
        super().write(path, data)
        self.unsynced[path.stat().st_ino] = [path], 0

    def create(self, path: Path) -> int:
        file = super().create(path)
        self.unsynced[path.stat().st_ino] = [path], 0
        return file

    def flush(self, file: int) -> None:
        state = os.fstat(file)
        self.unsynced[state.st_ino] = self.unsynced[state.st_ino][0], state.st_size

    def fsync(self, path: Path) -> None:
        if path.is_dir():
            self.safe.update(path.iterdir())
        else:
            self.unsynced.pop(path.stat().st_ino, None)

    def link(self, source: Path, target: Path) -> None:
        super().link(source, target)
        self._named(source.stat().st_ino, target)

    def rename(self, source: Path, target: Path) -> None:
        inode = source.stat().st_ino
        super().rename(source, target)
        if source in self.safe:
            self.moved[target] = source
        self.safe.discard(target)
        self._named(inode, target)

    def _named(self, inode: int, path: Path) -> None:
        if inode in self.unsynced:
            self.unsynced[inode][0].append(path)

    def lose_bytes(self) -> None:
        """Every byte that was not synced is gone."""
        for paths, size in self.unsynced.values():
            for path in paths:
                if path.exists():
                    os.truncate(path, size)

    def lose_names(self, root: Path) -> None:
        """Every name in `root` whose folder was not synced is gone, with what is below it."""
        for path in sorted(root.iterdir()):
            if path not in self.safe and path in self.moved:
                path.rename(self.moved[path])
            elif path not in self.safe:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            elif path.is_dir():
                self.lose_names(path)

    def cut_power(self, root: Path) -> None:
        """Both at once."""
        self.lose_bytes()
        self.lose_names(root)


class NoFsyncDisk(ForgettingDisk):
    """Mutant: never syncs a file."""

    def fsync(self, path: Path) -> None:
        if path.is_dir():
            super().fsync(path)


class NoFolderSyncDisk(ForgettingDisk):
    """Mutant: never syncs a folder."""

    def fsync(self, path: Path) -> None:
        if not path.is_dir():
            super().fsync(path)


class DirectDisk(CountingDisk):
    """Mutant: writes the final name in two halves instead of linking a finished file."""

    def link(self, source: Path, target: Path) -> None:
        data = source.read_bytes()
        for part in (data[: len(data) // 2], data[len(data) // 2 :]):
            self._step()
            with target.open("ab") as file:
                file.write(part)
            self._after()
