"""What the filters of plain files write, at a path or a URL: a Parquet file, whole or not there at all, or a classifier."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import RecipeError


class Sink:
    """Takes tables of one schema, one after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    @property
    def empty(self) -> bool:
        """Nothing was written yet, so no file will be there."""
        return self._writer is None

    def write(self, table: pa.Table) -> None:
        """Append the rows of a table."""
        self._writer = self._writer or pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        if self._writer:
            self._writer.close()


@contextmanager
def sink(out: str | Path) -> Iterator[Sink]:
    """A sink whose file gets its name when the block is left without an error. Raises `RecipeError` where nothing can be
    written."""
    remote = "://" in str(out)
    folder = None if remote else Path(out).absolute().parent
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
    except OSError as error:
        raise RecipeError(
            f"{out}: cannot be written: {error.strerror}", hint="name a file in a folder that is there"
        ) from None
    os.close(handle)
    part = Path(name)
    try:
        file = Sink(part)
        try:
            yield file
        finally:
            file.close()
        if not file.empty:
            _place(part, str(out), remote=remote)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def write_out(out: str | Path, table: pa.Table) -> None:
    """A file of one table."""
    with sink(out) as file:
        file.write(table)


@contextmanager
def placed(out: str | Path) -> Iterator[Path]:
    """Where to save a file or a folder that belongs at a path or a URL: the path itself, or a place from which it is brought
    to the URL when the block is left without an error."""
    if "://" not in str(out):
        yield Path(out)
        return
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / str(out).rstrip("/").rpartition("/")[2]
        yield made
        system, path = fsspec.core.url_to_fs(str(out).rstrip("/"))
        for file in [made] if made.is_file() else sorted(item for item in made.rglob("*") if item.is_file()):
            system.put_file(str(file), path if file == made else f"{path}/{file.relative_to(made).as_posix()}")


def read_columns(source: str | Path, columns: list[str]) -> pa.Table:
    """Columns of a Parquet file at a path or a URL. Raises `OSError`, `KeyError` or `pa.ArrowException`."""
    with fsspec.open(str(source), "rb") as file:
        return pq.read_table(file, columns=columns)


def _place(part: Path, out: str, *, remote: bool) -> None:
    if remote:
        system, path = fsspec.core.url_to_fs(out)
        system.put_file(str(part), path)
        return
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.chmod(0o666 & ~_umask())
    part.replace(out)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
