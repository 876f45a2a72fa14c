"""Parquet: only the columns that are used, a bounded number of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.document import Document, Rejection
from corpus.errors import RecipeError
from corpus.readers.files import Found
from corpus.readers.parquet_pages import PAGE_LIMIT, pages
from corpus.readers.rows import DATE_FIELDS, LICENCE_FIELDS, ORIGIN_FIELDS, Intake
from corpus.readers.streams import LINE_LIMIT, RATIO_FREE, RATIO_LIMIT, open_bytes

BATCH_ROWS = 256  # decoded at once; 60,000 texts of 3 kB took 0.24 s with 1,024 and 0.30 s with 64
DICTIONARY_ROWS = 16
CELLS_LIMIT = 512 << 20  # unpacked bytes of one column of one row group whose cells are longer than a line may be


def read_parquet(found: Found, intake: Intake) -> Iterator[Document | Rejection]:
    """Rows of a Parquet file. A text column that is not of strings is a `RecipeError`: no row of it can be meant."""
    with open_bytes(found.url) as stream:
        try:
            file = pq.ParquetFile(stream, pre_buffer=False, buffer_size=1 << 20)
        except (pa.ArrowException, OSError) as error:
            yield intake.reject(found.label, "file", "damaged_file", _short(error))
            return
        _check_text(file.schema_arrow, found, intake)
        for group in range(file.num_row_groups):
            yield from _group(file, stream, group, found, intake)


def _check_text(schema: pa.Schema, found: Found, intake: Intake) -> None:
    field = intake.config.text_field
    if field not in schema.names:
        raise RecipeError(
            f"{found.label}: there is no column {field!r}; the columns are {', '.join(schema.names[:20])}",
            hint=f"set `text_field` of source {intake.name!r}",
        )
    kind = schema.field(field).type
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_string_view(value)):
        raise RecipeError(
            f"{found.label}: column {field!r} is of type {kind}, and text must be of type string",
            hint=f"set `text_field` of source {intake.name!r} to a column of strings",
        )


def _group(
    file: pq.ParquetFile, stream: BinaryIO, group: int, found: Found, intake: Intake
) -> Iterator[Document | Rejection]:
    facts = file.metadata.row_group(group)
    text = _column(facts, intake.config.text_field)
    first = sum(file.metadata.row_group(before).num_rows for before in range(group))
    if reason := _too_large(facts.num_rows, text.total_compressed_size, text.total_uncompressed_size):
        yield intake.reject(found.label, f"row group {group}", *reason)
        return
    try:
        rows = _before_a_large_page(stream, text)
    except ValueError as error:
        yield intake.reject(found.label, f"row group {group}", "damaged_file", str(error))
        return
    used = {intake.config.text_field, *LICENCE_FIELDS, *ORIGIN_FIELDS, *DATE_FIELDS}
    columns = [name for name in file.schema_arrow.names if name in used]
    row, made = first, 0
    try:
        for batch in _batches(file, group, columns, _batch_rows(text), rows):
            made += batch.column(intake.config.text_field).nbytes
            if reason := _too_large(facts.num_rows, text.total_compressed_size, made):
                yield intake.reject(found.label, f"after row {row}", *reason)
                return
            for values in _rows(batch):
                yield _row(values, found.label, row, intake)
                row += 1
    except (pa.ArrowException, OSError) as error:
        yield intake.reject(found.label, f"after row {row}", "damaged_file", _short(error))
        return
    if rows is not None:
        told = f"a page of more than {PAGE_LIMIT:,} bytes; it and the rest of row group {group} are not read"
        yield intake.reject(found.label, row, "too_long", told)


def _before_a_large_page(stream: BinaryIO, text: pq.ColumnChunkMetaData) -> int | None:
    """How many rows can be read before a page that is too large; None where there is no such page."""
    if text.total_uncompressed_size <= PAGE_LIMIT:
        return None
    start = text.dictionary_page_offset if text.has_dictionary_page else text.data_page_offset
    rows = 0
    for page in pages(stream, start, text.total_compressed_size):
        if page.unpacked > PAGE_LIMIT:
            return rows
        rows += page.rows
    return None


def _batches(
    file: pq.ParquetFile, group: int, columns: list[str], size: int, rows: int | None
) -> Iterator[pa.RecordBatch]:
    """Rows of a group, so many at once; with `rows`, those before that row and nothing behind it is decoded."""
    if rows == 0:
        return
    if rows is not None:
        size = next(number for number in range(min(size, rows), 0, -1) if rows % number == 0)
    batches = file.iter_batches(size, [group], columns, use_threads=False)
    yield from batches if rows is None else islice(batches, rows // size)


def _row(values: dict[str, Any], label: str, row: int, intake: Intake) -> Document | Rejection:
    text = values[intake.config.text_field]
    if isinstance(text, _Refused):
        return intake.reject(label, row, text.reason, text.detail)
    return intake.row(values, label, row)


@dataclass(frozen=True, slots=True)
class _Refused:
    """A cell that is not made into a string."""

    reason: str
    detail: str


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    for values in zip(*map(_values, batch.columns), strict=True):
        yield dict(zip(batch.schema.names, values, strict=True))


def _values(column: pa.Array) -> Iterator[Any]:
    """Cells as Python values; Parquet writers check neither the length of a string nor that it is UTF-8."""
    for cell in column:
        text = cell.value if isinstance(cell, pa.DictionaryScalar) else cell
        length = text.as_buffer().size if isinstance(text, pa.StringScalar) and text.is_valid else 0
        if length > LINE_LIMIT:
            yield _Refused("too_long", f"{length:,} bytes")
            continue
        try:
            yield cell.as_py()
        except UnicodeDecodeError as error:
            yield _Refused("not_utf8", f"at byte {error.start}")


def _column(facts: pq.RowGroupMetaData, field: str) -> pq.ColumnChunkMetaData:
    columns = (facts.column(index) for index in range(facts.num_columns))
    return next(column for column in columns if column.path_in_schema == field)


def _too_large(rows: int, packed: int, unpacked: int) -> tuple[str, str] | None:
    if unpacked > RATIO_FREE and unpacked > RATIO_LIMIT * max(packed, 1):
        return "compression_bomb", f"{packed:,} bytes of text unpack to {unpacked:,} or more"
    if unpacked > CELLS_LIMIT and unpacked > LINE_LIMIT * rows:
        return "too_long", f"{rows:,} texts hold {unpacked:,} bytes"
    return None


def _batch_rows(text: pq.ColumnChunkMetaData) -> int:
    """Rows decoded at once. One value of a dictionary can stand for every row, so each row may cost all of it."""
    if not text.has_dictionary_page:
        return BATCH_ROWS
    largest = text.data_page_offset - (text.dictionary_page_offset or text.data_page_offset)
    return DICTIONARY_ROWS if largest < LINE_LIMIT else 1


def _short(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
