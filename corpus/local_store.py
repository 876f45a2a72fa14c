"""The store on a POSIX file system: temporary, fsync, link, fsync of the folder."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus.errors import SetupError
from corpus.store import TEMPORARY, Store, checked


def sync(path: Path) -> None:
    """fsync a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Disk:
    """The operations that touch the disk, in one place so that a test can fail or die at the n-th of them."""

    def write(self, path: Path, data: bytes) -> None:
        """Create `path` and fill it; not yet durable."""
        with path.open("xb") as file:
            file.write(data)

    def fsync(self, path: Path) -> None:
        """Make the bytes of a file, or the entries of a folder, durable."""
        sync(path)

    def create(self, path: Path) -> int:
        """Open a new file for appending; raises `FileExistsError` when the name is taken."""
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o644)

    def append(self, file: int, data: bytes) -> None:
        """Add all of `data`; not yet durable."""
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]

    def flush(self, file: int) -> None:
        """Make what was appended durable."""
        os.fsync(file)

    def link(self, source: Path, target: Path) -> None:
        """Give `source` the name `target`; raises `FileExistsError` when the name is taken."""
        os.link(source, target)

    def rename(self, source: Path, target: Path) -> None:
        """Atomically replace `target`."""
        os.replace(source, target)

    def unlink(self, path: Path) -> None:
        """Remove a name; a missing one is no error."""
        path.unlink(missing_ok=True)


class Forgetful(Disk):
    """For a folder that does not outlive the process: nothing is made durable."""

    def fsync(self, path: Path) -> None:
        pass


class LocalStore(Store):
    """A folder on this machine."""

    def __init__(self, root: Path, disk: Disk | None = None, durable: set[Path] | None = None) -> None:
        self.local: Path = Path(os.path.abspath(root))
        self.url = str(self.local)
        self.disk = disk or Disk()
        self._durable = set() if durable is None else durable  # folders whose entries this process has synced

    def child(self, name: str) -> LocalStore:
        return LocalStore(self.local / checked(name), self.disk, self._durable)

    def read(self, name: str) -> bytes:
        return (self.local / checked(name)).read_bytes()

    def exists(self, name: str) -> bool:
        return (self.local / checked(name)).is_file()

    def size(self, name: str) -> int:
        return (self.local / checked(name)).stat().st_size

    def names(self, prefix: str = "") -> list[str]:
        files = (path for path in self.local.rglob("*") if path.is_file() and not path.name.startswith(TEMPORARY))
        return sorted(name for path in files if (name := path.relative_to(self.local).as_posix()).startswith(prefix))

    def commit(self, name: str, data: bytes) -> bool:
        target = self.local / checked(name)
        with named_failure(target):
            temporary = self._written(target, data)
            try:
                self.disk.link(temporary, target)
                first = True
            except FileExistsError:
                first = False
            finally:
                self.disk.unlink(temporary)
            # Also when somebody else was first: they may have died before their own fsync, and the caller goes on to
            # name this file in a manifest.
            self.disk.fsync(target.parent)
        return first

    def replace(self, name: str, data: bytes) -> None:
        target = self.local / checked(name)
        with named_failure(target):
            temporary = self._written(target, data)
            try:
                self.disk.rename(temporary, target)
            except OSError:
                self.disk.unlink(temporary)
                raise
            self.disk.fsync(target.parent)

    def delete(self, name: str) -> None:
        self.disk.unlink(self.local / checked(name))

    def sweep(self, older_than_s: float) -> int:
        limit = time.time() - older_than_s
        stale = [path for path in self.local.rglob(f"{TEMPORARY}*") if _is_older(path, limit)]
        for path in stale:
            self.disk.unlink(path)
        return len(stale)

    def _written(self, target: Path, data: bytes) -> Path:
        temporary = target.parent / f"{TEMPORARY}{uuid.uuid4().hex}"
        try:
            self._make_folder(target.parent)
            self.disk.write(temporary, data)
            self.disk.fsync(temporary)
        except OSError:
            self.disk.unlink(temporary)
            raise
        return temporary

    def make_folder(self) -> None:
        """Create this folder, durably."""
        with named_failure(self.local):
            self._make_folder(self.local)

    def _make_folder(self, folder: Path) -> None:
        """Every level is durable in its parent, also one that a predecessor made and died before it was synced."""
        if folder in self._durable and folder.is_dir():
            return
        folder.mkdir(parents=True, exist_ok=True)
        for path in (folder, *folder.parents[:-1]):
            if path in self._durable or path.is_mount() or not os.access(path.parent, os.R_OK | os.W_OK):
                break  # a mount point, and an entry of a folder that we may not write to, are not of our making
            self.disk.fsync(path.parent)
            self._durable.add(path)


@contextmanager
def named_failure(path: Path) -> Iterator[None]:
    """What the disk refuses becomes a `SetupError` that names `path` and what the disk said."""
    try:
        yield
    except OSError as error:
        raise SetupError(
            f"{path}: cannot write: {error.strerror or error}",
            hint="free space or mend the permissions, then run again",
        ) from error


def _is_older(path: Path, limit: float) -> bool:
    try:
        return path.is_file() and path.stat().st_mtime < limit
    except FileNotFoundError:
        return False  # its owner has finished with it meanwhile
