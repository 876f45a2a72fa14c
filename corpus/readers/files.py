"""Which files a source means: paths, globs and URLs become a sorted list, each with a label free of machine paths."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import fsspec

from corpus.errors import RecipeError, SetupError

_WILD = frozenset("*?[")
_PACKED = (".gz", ".zst")
KINDS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".txt": "plain",
    ".text": "plain",
    ".md": "plain",
    ".rst": "plain",
    ".py": "plain",
    ".html": "html",
    ".htm": "html",
    ".warc": "warc",
    ".wet": "warc",
}


@dataclass(frozen=True, slots=True)
class Found:
    """One file: where to open it, what to call it, and which reader takes it."""

    url: str
    label: str
    kind: str


def find_files(paths: Sequence[str], source: str) -> list[Found]:
    """Every file that `paths` name, once, in order of label. A path that names nothing is a `RecipeError`.

    Labels are relative to the folder that all files share, so that an id does not depend on where the data lies.
    """
    if not paths:
        raise RecipeError(f"source {source!r} names no files", hint="give `paths`, such as data/*.jsonl.gz")
    urls = sorted({url for path in paths for url in _expanded(path, source)})
    labels = _labels(urls)
    return [Found(url, label, _kind(url, source)) for url, label in zip(urls, labels, strict=True)]


def states(paths: Sequence[str]) -> list[list[str]]:
    """What tells whether files are still those that were read before: place, size, and when they were written."""
    found = []
    for url in sorted({url for path in paths for url in _expanded(path, "files")}):
        system, inside = fsspec.core.url_to_fs(url)
        about = system.info(inside)
        found.append([url, *(str(about.get(name, "")) for name in ("size", "mtime", "ETag", "LastModified"))])
    return found


def runs_of(files: Sequence[Found], most: int) -> list[tuple[Found, ...]]:
    """Neighbouring files together up to `most` bytes a run; a file whose size nobody tells is a run of its own."""
    runs, held, size = list[tuple[Found, ...]](), list[Found](), 0
    for file in files:
        own = _size(file.url, most)
        if held and size + own > most:
            runs.append(tuple(held))
            held, size = [], 0
        held.append(file)
        size += own
    return [*runs, tuple(held)] if held else runs


def _size(url: str, unknown: int) -> int:
    try:
        system, inside = fsspec.core.url_to_fs(url)
        return system.info(inside).get("size") or unknown
    except OSError:  # whoever reads it will say what is wrong with it
        return unknown


def _expanded(path: str, source: str) -> list[str]:
    try:
        system, inside = fsspec.core.url_to_fs(os.path.expanduser(path))
        if _WILD.isdisjoint(inside):
            found = _folder(system, inside) if system.isdir(inside) else [inside] if system.exists(inside) else []
        else:
            found = [name for name in system.glob(inside) if not system.isdir(name)]
    except (ImportError, PermissionError, ValueError) as error:
        raise SetupError(f"source {source!r}: {path} cannot be opened: {error}") from error
    if not found:
        raise RecipeError(
            f"source {source!r}: {path} names no file",
            hint="a relative path is taken from the folder where the command runs",
        )
    return [system.unstrip_protocol(str(name)) for name in found]


def _folder(system: fsspec.AbstractFileSystem, folder: str) -> list[str]:
    """Files of a folder that a reader exists for; anything else in it is not ours."""
    return [name for name in system.find(folder) if _suffix(str(name)) in KINDS]


def _labels(urls: Sequence[str]) -> list[str]:
    folders = [PurePosixPath(url).parent.as_posix() for url in urls]
    shared = os.path.commonpath(folders) if folders else ""
    return [PurePosixPath(url).relative_to(shared).as_posix() for url in urls]


def _kind(url: str, source: str) -> str:
    kind = KINDS.get(_suffix(url))
    if kind is None:
        raise RecipeError(
            f"source {source!r}: no reader for {PurePosixPath(url).name}",
            hint=f"names end in {', '.join(KINDS)}, most of them also with .gz or .zst",
        )
    return kind


def _suffix(url: str) -> str:
    name = PurePosixPath(url)
    packed = name.suffix.lower() in _PACKED
    return PurePosixPath(name.stem).suffix.lower() if packed else name.suffix.lower()
