"""Which code is running: one hash over the sources, recorded in manifests and compared on every worker."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

FOLDERS = ("corpus", "prompts", "generator", "filters", "trainer", "ray_jobs")


@cache
def code_hash() -> str:
    """32 hex digits over the names and bytes of every file of the six folders."""
    state = hashlib.blake2b(digest_size=16)
    root = Path(__file__).resolve().parent.parent
    for path in sorted(item for folder in FOLDERS for item in (root / folder).rglob("*") if _counts(item)):
        state.update(f"{path.relative_to(root).as_posix()}\0".encode())
        state.update(hashlib.blake2b(path.read_bytes()).digest())
    return state.hexdigest()


def _counts(path: Path) -> bool:
    return path.is_file() and path.suffix not in (".pyc", ".so") and "__pycache__" not in path.parts
