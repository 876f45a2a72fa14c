"""Folders that appear whole or not at all, on the local disk that training reads and writes.

Training needs real files (memory maps, safetensors), so it does not go through the object store's interface; whoever
publishes a result copies the finished folder.
"""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import xxhash

from corpus.errors import StateError
from corpus.local_store import sync

STAGED = ".part-"


@contextlib.contextmanager
def whole_folder(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """A temporary folder that becomes `target` when the block ends: files synced, renamed, parent synced.

    A block that raises leaves nothing. Raises `StateError` when `target` exists and `replace` is not set.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = target.parent / f"{STAGED}{target.name}-{uuid.uuid4().hex[:12]}"
    staged.mkdir()
    try:
        yield staged
        _sync_tree(staged)
        _put(staged, target, replace)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    sync(target.parent)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old bytes or the new ones, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.parent / f"{STAGED}{path.name}-{uuid.uuid4().hex[:12]}"
    try:
        staged.write_bytes(data)
        sync(staged)
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)
    sync(path.parent)


def sweep(folder: Path) -> None:
    """Remove what writers that were killed left in `folder`; only its one owner may call this."""
    for staged in folder.glob(f"{STAGED}*"):
        shutil.rmtree(staged) if staged.is_dir() else staged.unlink()


def checksum(path: Path) -> str:
    """xxh3-128 of a file's bytes, in hex."""
    state = xxhash.xxh3_128()
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            state.update(block)
    return state.hexdigest()


def verify(folder: Path, checksums: dict[str, str]) -> None:
    """Compare the files of `folder` with their recorded checksums; `StateError` names the first that differs."""
    for name, expected in checksums.items():
        file = folder / name
        if not file.is_file():
            raise StateError(f"{file}: missing, though {folder.name} is marked complete")
        if checksum(file) != expected:
            raise StateError(f"{file}: its bytes do not match the checksum {expected} that was recorded with it")


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        sync(path)
    sync(folder)


def _put(staged: Path, target: Path, replace: bool) -> None:
    if target.exists():
        if not replace:
            raise StateError(f"{target}: exists already", hint="remove it, or choose another folder")
        old = target.parent / f"{STAGED}{target.name}-old-{uuid.uuid4().hex[:12]}"
        target.rename(old)
        staged.rename(target)
        shutil.rmtree(old)
    else:
        staged.rename(target)
