"""Disks that fail, die or forget: the store's operations with a fault at the n-th, and mutants of the protocol."""

from __future__ import annotations

import os
from pathlib import Path

from corpus.local_store import Disk


class Fault(OSError):
    """An injected failure."""


class CountingDisk(Disk):
    """Fails, or dies after, the n-th operation (1-based); n = 0 only counts."""

    def __init__(self, at: int = 0, *, die: bool = False) -> None:
        self.at, self.die, self.done = at, die, 0

    def _step(self) -> None:
        self.done += 1
        if self.done == self.at and not self.die:
            raise Fault(5, "injected")

    def _after(self) -> None:
        if self.done == self.at and self.die:
            raise KeyboardInterrupt  # like a death: no handler of the store may clean up after it

    def write(self, path: Path, data: bytes) -> None:
        self._step()
        super().write(path, data)
        self._after()

    def fsync(self, path: Path) -> None:
        self._step()
        super().fsync(path)
        self._after()

    def link(self, source: Path, target: Path) -> None:
        self._step()
        super().link(source, target)
        self._after()

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        super().rename(source, target)
        self._after()

    def unlink(self, path: Path) -> None:
        if path.exists():
            self._step()
            super().unlink(path)
            self._after()


class ForgettingDisk(Disk):
    """Keeps bytes that were not synced in a page cache that a crash loses, as SQLite's tests do."""

    def __init__(self) -> None:
        self.unsynced: dict[int, list[Path]] = {}

    def write(self, path: Path, data: bytes) -> None:
        super().write(path, data)
        self.unsynced[path.stat().st_ino] = [path]

    def fsync(self, path: Path) -> None:
        self.unsynced.pop(path.stat().st_ino, None)

    def link(self, source: Path, target: Path) -> None:
        super().link(source, target)
        self.unsynced.get(source.stat().st_ino, []).append(target)

    def crash(self) -> None:
        """Lose every byte that was not synced."""
        for paths in self.unsynced.values():
            for path in paths:
                if path.exists():
                    os.truncate(path, 0)


class NoFsyncDisk(ForgettingDisk):
    """Mutant: never syncs."""

    def fsync(self, path: Path) -> None:
        return


class DirectDisk(CountingDisk):
    """Mutant: writes the final name in two halves instead of linking a finished file."""

    def link(self, source: Path, target: Path) -> None:
        data = source.read_bytes()
        for part in (data[: len(data) // 2], data[len(data) // 2 :]):
            self._step()
            with target.open("ab") as file:
                file.write(part)
            self._after()
