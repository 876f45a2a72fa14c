"""Rows of JSONL, Parquet or a Hugging Face dataset as they are, for tables that are not text to train on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import RecipeError
from corpus.readers.files import Found, find_files
from corpus.readers.streams import UnreadableError, chunks, lines, open_bytes


def read_records(path: str, what: str) -> Iterator[dict[str, Any]]:
    """Rows of the files that `path` names. A row that cannot be read is a `RecipeError`: none may be passed over.

    `what` says in errors what the file is wanted for, such as `filters.decontaminate.against`.
    """
    for found in find_files([path], what):
        if found.kind == "jsonl":
            yield from _jsonl(found, what)
        elif found.kind == "parquet":
            yield from _parquet(found, what)
        else:
            raise RecipeError(f"{what}: {found.label} is neither JSONL nor Parquet")


def read_dataset_records(name: str, config: str | None, split: str, revision: str | None) -> Iterator[dict[str, Any]]:
    """Rows of one split of a dataset by name, streamed; no code of the dataset is run."""
    import datasets

    from corpus.hub import hub_errors

    try:
        with hub_errors(name):
            yield from datasets.load_dataset(name, config, split=split, revision=revision, streaming=True)
    except (FileNotFoundError, ValueError) as error:  # no such dataset, config or split, as the library says it
        raise RecipeError(f"dataset {name} cannot be read as config {config!r}, split {split!r}: {error}") from error


def _jsonl(found: Found, what: str) -> Iterator[dict[str, Any]]:
    number = 0
    try:
        for line in lines(chunks(found.url)):
            number = line.number
            row = orjson.loads(line.data or b"null")
            if not isinstance(row, dict):
                raise ValueError(f"the line holds a {type(row).__name__}, or is too long")
            yield row
    except (UnreadableError, ValueError) as error:
        raise RecipeError(f"{what}: {found.label}, line {number}: {error}") from error


def _parquet(found: Found, what: str) -> Iterator[dict[str, Any]]:
    with open_bytes(found.url) as stream:
        try:
            for batch in pq.ParquetFile(stream).iter_batches(1024):
                yield from batch.to_pylist()
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"{what}: {found.label}: {error}") from error
