"""Where a run rests: a folder on this machine or on an object store, with one way to commit a file.

`commit` is create-if-absent: of two writers of one name the first wins and the second is told. Nothing is ever
half-visible: data goes to a unique temporary name, is synced, and only then gets its name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from corpus.errors import StateError

TEMPORARY = ".tmp-"  # prefix of every temporary name; readers never see one


class Store(ABC):
    """A folder. Names are relative and use "/"; a name that would leave the folder is refused."""

    url: str
    local: Path | None = None

    @abstractmethod
    def child(self, name: str) -> Store:
        """The folder `name` inside this one; it need not exist yet."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """All bytes of a committed file. Raises `FileNotFoundError`."""

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Whether `name` was committed."""

    @abstractmethod
    def size(self, name: str) -> int:
        """Bytes of a committed file. Raises `FileNotFoundError`."""

    @abstractmethod
    def names(self, prefix: str = "") -> list[str]:
        """Sorted names of committed files at any depth that start with `prefix`."""

    @abstractmethod
    def commit(self, name: str, data: bytes) -> bool:
        """Write once. False when the name was taken before; then nothing changes."""

    @abstractmethod
    def replace(self, name: str, data: bytes) -> None:
        """Atomic overwrite, for what is not state of record: progress, reports, leases."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove a file; a missing one is no error."""

    @abstractmethod
    def sweep(self, older_than_s: float) -> int:
        """Remove temporaries older than their lease; returns how many."""


def checked(name: str) -> str:
    """`name` itself, or `StateError` when it is absolute, climbs out, or is a temporary's."""
    parts = name.split("/")
    if not name or "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise StateError(f"{name!r} is not a name inside a store")
    if parts[-1].startswith(TEMPORARY):
        raise StateError(f"{name!r} has the form of a temporary name")
    return name


def open_store(url: str | Path) -> Store:
    """A store at a local path or at any fsspec URL (`s3://bucket/folder`, `memory://name`)."""
    text = str(url)
    if "://" not in text or text.startswith("file://"):
        from corpus.local_store import LocalStore

        return LocalStore(Path(text.removeprefix("file://")))
    from corpus.object_store import ObjectStore

    return ObjectStore(text)
