"""The published form of a dataset: a folder of Parquet shards, a card, and `hornbook.json` that vouches for them.

The same files make a folder on disk and a repository on the Hub. Shards lie by domain, so that one set of files
serves both the configs of the domains and the config `default`, which is all of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import StateError
from corpus.ids import canonical, digest

VOUCHER = "hornbook.json"
CARD = "README.md"
FORMAT = 1
DEFAULT, REJECTED, LABELS = "default", "rejected", "soft_labels"
TRAIN, VALIDATION = "train", "validation"
VALIDATION_PART = 20  # one document in so many, by its id alone
_GROUP_BYTES = 32 << 20  # bytes of a row group before packing


@dataclass
class Shards:
    """Writes tables of one schema as Parquet files of a bounded size; names are final only when all is written."""

    folder: Path
    place: str  # such as data/arithmetic
    split: str
    limit: int  # bytes of a file
    rows: int = 0
    _open: pq.ParquetWriter | None = None
    _paths: list[Path] = field(default_factory=list)
    _counts: list[int] = field(default_factory=list)

    def write(self, table: pa.Table) -> None:
        """Append rows, beginning a new file where the last one is full."""
        step = max(1, table.num_rows * _GROUP_BYTES // max(table.nbytes, 1))
        for start in range(0, table.num_rows, step):
            self._group(table.slice(start, step))

    def close(self) -> dict[str, int]:
        """Give the files their names; returns rows by path inside the folder."""
        self._finish()
        found = {}
        for index, (path, rows) in enumerate(zip(self._paths, self._counts, strict=True)):
            name = f"{self.place}/{self.split}-{index:05d}-of-{len(self._paths):05d}.parquet"
            path.rename(self.folder / name)
            found[name] = rows
        return found

    def _group(self, table: pa.Table) -> None:
        if self._open is None:
            path = self.folder / self.place / f"{self.split}-{len(self._paths)}.part"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open = pq.ParquetWriter(path, table.schema, compression="zstd")
            self._paths.append(path)
            self._counts.append(0)
        self._open.write_table(table)
        self._counts[-1] += table.num_rows
        self.rows += table.num_rows
        if self._paths[-1].stat().st_size >= self.limit:
            self._finish()

    def _finish(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def split_of(document: str) -> str:
    """The split of a document: a function of its id, so that it never moves between versions."""
    return VALIDATION if int(digest("split", document)[:8], 16) % VALIDATION_PART == 0 else TRAIN


def config_names(domains: Iterable[str]) -> dict[str, str]:
    """A config name for each domain: plain characters, never one of the reserved names, never the same twice."""
    names: dict[str, str] = {}
    for domain in sorted(set(domains)):
        slug = re.sub(r"[^a-z0-9_]+", "-", domain.lower()).strip("-") or "other"
        if slug in (DEFAULT, REJECTED, LABELS) or slug in names.values():
            slug = f"{slug}-{digest('config', domain)[:6]}"
        names[domain] = slug
    return names


def write_voucher(folder: Path, body: Mapping[str, Any], rows: Mapping[str, int]) -> None:
    """Write `hornbook.json` last: `body`, and for every file its size, SHA-256 and rows, under a checksum of its own."""
    files = {
        name: {**_file_facts(folder / name), **({"rows": rows[name]} if name in rows else {})}
        for name in _names(folder)
    }
    whole = orjson.loads(canonical({"format": FORMAT, **body, "files": files}))
    sealed = {"checksum": digest(whole), "hornbook": whole}
    (folder / VOUCHER).write_bytes(orjson.dumps(sealed, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def read_voucher(data: bytes, where: str) -> dict[str, Any]:
    """The body of a `hornbook.json`. Raises `StateError` when it is not one or was edited."""
    try:
        outer = orjson.loads(data)
        body = outer["hornbook"]
        if digest(body) != outer["checksum"]:
            raise StateError(f"{where}: its checksum does not fit its content", hint="publish again")
        if body["format"] != FORMAT:
            raise StateError(f"{where}: format {body['format']} is not known here", hint="use a newer Hornbook")
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise StateError(f"{where}: not a file that Hornbook wrote: {error}") from None
    return body


def check_folder(folder: Path, body: Mapping[str, Any]) -> Iterator[str]:
    """Everything in which the files of a folder differ from what its voucher says, one sentence each."""
    for name, facts in sorted(body["files"].items()):
        path = folder / name
        if not path.is_file():
            yield f"{name}: missing"
        elif _file_facts(path)["sha256"] != facts["sha256"]:
            yield f"{name}: its bytes are not the published ones"
    for name in _names(folder):
        if name.endswith(".parquet") and name not in body["files"]:
            yield f"{name}: not part of the publication"


def parquet_rows(folder: Path, names: Iterable[str], columns: list[str]) -> Iterator[pa.Table]:
    """Rows of Parquet files in bounded pieces."""
    for name in names:
        file = pq.ParquetFile(folder / name)
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns)


def _names(folder: Path) -> list[str]:
    """Files of a publication, as names inside the folder; hidden ones (a Hub's, an editor's) are not ours."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        path.as_posix()
        for path in found
        if not any(part.startswith(".") for part in path.parts) and path.name != VOUCHER
    )


def _file_facts(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
