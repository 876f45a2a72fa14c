"""A batch of texts with everything that is split once and shared by the filters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from filters.lines import Lines, broken_lines, split_lines
from filters.words import Words, split_words

BATCH_BYTES = 16 << 20  # text split at a time; words and lines take about ten times as much


@dataclass(frozen=True, slots=True)
class Batch:
    """n texts, their words, their lines, and their characters (int64).

    `lines` are what is between line feeds, `broken` what is between all boundaries of lines.
    """

    texts: pl.Series
    words: Words
    lines: Lines
    broken: Lines
    characters: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)


def make_batch(texts: pl.Series, words: Words | None = None) -> Batch:
    """Split once. `texts` is a string series without nulls; `words`, where something else has split them."""
    lines = split_lines(texts)
    characters = texts.str.len_chars().to_numpy().astype(np.int64)
    return Batch(texts, words or split_words(texts), lines, broken_lines(texts, lines), characters)


def text_series(documents: pa.Table) -> pl.Series:
    """The column `text` as a Polars series; a null counts as empty."""
    column = pc.fill_null(documents.column("text").cast(pa.large_string()), "")
    return pl.Series("text", pl.from_arrow(column), dtype=pl.String)


@cache
def keep_freed_memory() -> None:
    """Let the allocator keep what is freed between two batches.

    glibc hands memory back to the kernel above a threshold that follows the largest block freed so far, up to 32 MiB.
    So one block of that size is freed, never touched; else a fifth of the time goes into page faults. No effect elsewhere.
    """
    np.empty(31 << 20, np.uint8)


def slices(documents: pa.Table, limit: int = BATCH_BYTES) -> Iterator[pa.Table]:
    """Cut a table into runs of rows of at most `limit` bytes of text each (a single larger row stays whole)."""
    keep_freed_memory()
    sizes = pc.fill_null(pc.binary_length(documents.column("text")), 0).to_numpy().astype(np.int64)
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        base = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, base + limit, side="right")))
        yield documents.slice(start, stop - start)
        start = stop
