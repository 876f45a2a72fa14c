"""Pages of Parquet are measured before they are unpacked; one that is too large costs itself and what is packed behind it."""

from __future__ import annotations

import io
import random
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.config import SourceConfig
from corpus.document import Document
from corpus.readers import parquet, read_source
from corpus.readers.parquet_pages import pages

TEXTS = [f"Text {number} of many. " + "It says a little more. " * (number % 7) for number in range(500)]
WRITERS = [
    {"use_dictionary": False}, {"use_dictionary": True}, {"compression": "zstd"}, {"compression": "none"},
    {"data_page_version": "2.0"}, {"write_statistics": False}, {"write_page_checksum": True},
]  # fmt: skip


@pytest.mark.parametrize("options", WRITERS, ids=str)
def test_the_pages_of_every_writer_hold_all_rows(options: dict[str, object]) -> None:
    sink = io.BytesIO()
    texts = pa.array([None if number % 9 == 4 else text for number, text in enumerate(TEXTS)])
    pq.write_table(pa.table({"text": texts}), sink, data_page_size=1024, write_batch_size=16, **options)
    column = pq.read_metadata(sink).row_group(0).column(0)
    start = column.dictionary_page_offset if column.has_dictionary_page else column.data_page_offset
    found = list(pages(sink, start, column.total_compressed_size))
    assert len(found) > 2
    assert sum(page.rows for page in found) == len(TEXTS)
    assert sum(page.unpacked for page in found) <= column.total_uncompressed_size


def test_headers_of_any_bytes_end_in_a_page_or_an_error() -> None:
    draw = random.Random(3)
    for _ in range(3000):
        data = io.BytesIO(draw.randbytes(draw.randint(1, 60)))
        with suppress(ValueError):
            list(pages(data, 0, len(data.getvalue())))


@pytest.mark.parametrize("place", [0, 1, 211, 499])
def test_rows_before_a_large_page_and_of_other_groups_are_read(
    place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "PAGE_LIMIT", 1 << 20)
    path = tmp_path / "large.parquet"
    texts = [*TEXTS[:place], random.Random(1).randbytes(1 << 20).hex(), *TEXTS[place:]]
    with pq.ParquetWriter(
        path, pa.schema([("text", pa.string())]), use_dictionary=False, data_page_size=1024, write_batch_size=4
    ) as file:
        for rows in (texts, TEXTS):
            file.write_table(pa.table({"text": rows}))
    rows = list(read_source("web", SourceConfig(kind="files", paths=(str(path),)), seed=0))
    kept = [row.text for row in rows if isinstance(row, Document)]
    before = len(kept) - len(TEXTS)
    assert kept == [*TEXTS[:before], *TEXTS]
    assert place - 20 < before <= place
    (lost,) = [row for row in rows if not isinstance(row, Document)]
    assert lost.reason == "too_long"
    assert (
        lost.detail
        == f"large.parquet:{before}: a page of more than 1,048,576 bytes; it and the rest of row group 0 are not read"
    )
