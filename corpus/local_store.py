"""The store on a POSIX file system: temporary, fsync, link, fsync of the folder."""

from __future__ import annotations

import os
import time
import uuid
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

    def link(self, source: Path, target: Path) -> None:
        """Give `source` the name `target`; raises `FileExistsError` when the name is taken."""
        os.link(source, target)

    def rename(self, source: Path, target: Path) -> None:
        """Atomically replace `target`."""
        os.replace(source, target)

    def unlink(self, path: Path) -> None:
        """Remove a name; a missing one is no error."""
        path.unlink(missing_ok=True)


class LocalStore(Store):
    """A folder on this machine."""

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self.local: Path = Path(os.path.abspath(root))
        self.url = str(self.local)
        self.disk = disk or Disk()

    def child(self, name: str) -> LocalStore:
        return LocalStore(self.local / checked(name), self.disk)

    def read(self, name: str) -> bytes:
        return (self.local / checked(name)).read_bytes()

    def exists(self, name: str) -> bool:
        return (self.local / checked(name)).is_file()

    def names(self, prefix: str = "") -> list[str]:
        files = (path for path in self.local.rglob("*") if path.is_file() and not path.name.startswith(TEMPORARY))
        return sorted(name for path in files if (name := path.relative_to(self.local).as_posix()).startswith(prefix))

    def commit(self, name: str, data: bytes) -> bool:
        target = self.local / checked(name)
        temporary = self._written(target, data)
        try:
            self.disk.link(temporary, target)
        except FileExistsError:
            return False
        finally:
            self.disk.unlink(temporary)
        self.disk.fsync(target.parent)
        return True

    def replace(self, name: str, data: bytes) -> None:
        target = self.local / checked(name)
        self.disk.rename(self._written(target, data), target)
        self.disk.fsync(target.parent)

    def delete(self, name: str) -> None:
        self.disk.unlink(self.local / checked(name))

    def sweep(self, older_than_s: float) -> int:
        limit = time.time() - older_than_s
        stale = [path for path in self.local.rglob(f"{TEMPORARY}*") if path.is_file() and path.stat().st_mtime < limit]
        for path in stale:
            self.disk.unlink(path)
        return len(stale)

    def _written(self, target: Path, data: bytes) -> Path:
        temporary = target.parent / f"{TEMPORARY}{uuid.uuid4().hex}"
        try:
            make_folder(target.parent, self.disk)
            self.disk.write(temporary, data)
            self.disk.fsync(temporary)
        except OSError as error:
            self.disk.unlink(temporary)
            raise SetupError(
                f"{target}: cannot write: {error.strerror or error}",
                hint="free space or mend the permissions, then run again",
            ) from error
        return temporary


def make_folder(folder: Path, disk: Disk) -> None:
    """Create `folder`; each new level is durable in its parent before this returns."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        disk.fsync(path.parent)
