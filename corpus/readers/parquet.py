"""Parquet: only the columns that are used, a bounded number of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.document import Document, Rejection
from corpus.errors import RecipeError
from corpus.readers.files import Found
from corpus.readers.rows import DATE_FIELDS, LICENCE_FIELDS, ORIGIN_FIELDS, Intake
from corpus.readers.streams import LINE_LIMIT, RATIO_FREE, RATIO_LIMIT, open_bytes

BATCH_BYTES = 64 << 20  # bytes of text decoded at once, by the average length of a row
BATCH_ROWS = 1024
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
            yield from _group(file, group, found, intake)


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


def _group(file: pq.ParquetFile, group: int, found: Found, intake: Intake) -> Iterator[Document | Rejection]:
    first = sum(file.metadata.row_group(before).num_rows for before in range(group))
    if reason := _too_large(file, group, intake.config.text_field):
        yield intake.reject(found.label, f"row group {group}", *reason)
        return
    used = {intake.config.text_field, *LICENCE_FIELDS, *ORIGIN_FIELDS, *DATE_FIELDS}
    columns = [name for name in file.schema_arrow.names if name in used]
    row = first
    try:
        for batch in file.iter_batches(_batch_rows(file, group), [group], columns, use_threads=False):
            for values in _rows(batch):
                yield _row(values, found.label, row, intake)
                row += 1
    except (pa.ArrowException, OSError) as error:
        yield intake.reject(found.label, f"after row {row}", "damaged_file", _short(error))


def _row(values: dict[str, Any], label: str, row: int, intake: Intake) -> Document | Rejection:
    text = values[intake.config.text_field]
    if isinstance(text, bytes):
        return intake.reject(label, row, "not_utf8", f"column {intake.config.text_field!r}")
    if isinstance(text, str) and len(text) > LINE_LIMIT:
        return intake.reject(label, row, "too_long", f"{len(text):,} characters")
    return intake.row(values, label, row)


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Rows one by one; a string that is not UTF-8 comes out as bytes, since Parquet writers do not check."""
    columns = [_values(column) for column in batch.columns]
    for values in zip(*columns, strict=True):
        yield dict(zip(batch.schema.names, values, strict=True))


def _values(column: pa.Array) -> Iterator[Any]:
    for cell in column:
        try:
            yield cell.as_py()
        except UnicodeDecodeError:
            yield cell.as_buffer().to_pybytes() if hasattr(cell, "as_buffer") else b""


def _sizes(file: pq.ParquetFile, group: int, field: str) -> tuple[int, int, int, bool]:
    """Rows, packed and unpacked bytes of a column in a row group, and whether it has a dictionary."""
    facts = file.metadata.row_group(group)
    for index in range(facts.num_columns):
        column = facts.column(index)
        if column.path_in_schema == field:
            return (facts.num_rows, column.total_compressed_size, column.total_uncompressed_size,
                    bool(column.has_dictionary_page))  # fmt: skip
    return facts.num_rows, 1, 1, False


def _too_large(file: pq.ParquetFile, group: int, field: str) -> tuple[str, str] | None:
    rows, packed, unpacked, _ = _sizes(file, group, field)
    if unpacked > RATIO_FREE and unpacked > RATIO_LIMIT * max(packed, 1):
        return "compression_bomb", f"column {field!r} unpacks from {packed:,} to {unpacked:,} bytes"
    if unpacked > CELLS_LIMIT and unpacked > LINE_LIMIT * rows:
        return "too_long", f"{rows:,} cells of column {field!r} hold {unpacked:,} bytes"
    return None


def _batch_rows(file: pq.ParquetFile, group: int) -> int:
    """Rows a batch. In a dictionary one long value can stand for every row, so its size counts once a row."""
    rows, _, unpacked, dictionary = _sizes(file, group, field=file.schema_arrow.names[0])
    largest = max((_sizes(file, group, name)[2] for name in file.schema_arrow.names), default=unpacked)
    per_row = min(largest, LINE_LIMIT) if dictionary and largest < RATIO_FREE else largest // max(rows, 1)
    return max(1, min(BATCH_ROWS, BATCH_BYTES // max(per_row, 1)))


def _short(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
