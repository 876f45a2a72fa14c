"""Readers on an object store: the same rows by URL, from a real S3-compatible server."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.config import SourceConfig
from corpus.document import Document
from corpus.errors import RecipeError
from corpus.readers import read_source
from tests.fakes.stores import s3_bucket

ROWS = [{"text": f"Row {number}."} for number in range(40)]


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    lines = b"\n".join(json.dumps(row).encode() for row in ROWS)
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), sink, row_group_size=7)
    objects = {"x/a.jsonl": lines, "x/b.jsonl.gz": gzip.compress(lines), "y/c.parquet": sink.getvalue()}
    with s3_bucket("readers") as url:
        for name, data in objects.items():
            fsspec.filesystem("s3").pipe_file(f"readers/{name}", data)
        yield url


@pytest.mark.parametrize("path, times", [("/x/a.jsonl", 1), ("/x/*", 2), ("/**/*.parquet", 1), ("/*/*", 3), ("/x", 2)])
def test_objects_are_read_by_url_and_glob(bucket: str, path: str, times: int) -> None:
    rows = list(read_source("s", SourceConfig(kind="files", paths=(bucket + path,)), seed=0))
    assert [row.text for row in rows if isinstance(row, Document)] == [row["text"] for row in ROWS] * times
    assert not any("readers" in row.origin for row in rows if isinstance(row, Document))


def test_an_object_that_is_not_there_is_named(bucket: str) -> None:
    with pytest.raises(RecipeError, match=r"nothing\.jsonl"):
        list(read_source("s", SourceConfig(kind="files", paths=(f"{bucket}/nothing.jsonl",)), seed=0))
