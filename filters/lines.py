"""Lines: split once for a batch, shared by all rules that look at lines or paragraphs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from filters.segments import offsets_of, owners, sums

ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads small numbers over all bits


@dataclass(frozen=True, slots=True)
class Lines:
    """The non-blank lines of n documents, stripped, with what their neighbourhood was before stripping.

    A line ends at a line feed, nothing else. A paragraph is a run of non-blank lines.
    """

    offsets: np.ndarray  # int64, n + 1, into the non-blank lines
    texts: pl.Series  # the stripped lines
    lengths: np.ndarray  # int64, characters of the stripped line
    codes: np.ndarray  # int64: equal number, equal line, within the batch
    paragraphs: np.ndarray  # int64: the number of the paragraph that a line is in, over the whole batch
    breaks: np.ndarray  # int64, n: line feeds in each document

    @property
    def counts(self) -> np.ndarray:
        """Non-blank lines in each document."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> np.ndarray:
        """The document of each line."""
        return owners(self.offsets)

    def count(self, flags: pl.Series | np.ndarray) -> np.ndarray:
        """How many lines of each document have the flag (or the sum of a whole number a line)."""
        values = flags.to_numpy() if isinstance(flags, pl.Series) else flags
        return sums(values, self.offsets)


def split_lines(texts: pl.Series) -> Lines:
    """Split a string series without nulls into its non-blank lines."""
    lists = texts.str.split("\n")
    raw_counts = lists.list.len().to_numpy().astype(np.int64)
    stripped = lists.explode().str.strip_chars()
    lengths = stripped.str.len_chars().to_numpy().astype(np.int64)
    filled = lengths > 0
    document = np.repeat(np.arange(len(raw_counts)), raw_counts)
    # A paragraph starts at a non-blank line that is the first of its document or follows a blank one.
    starts = filled & (np.r_[True, ~filled[:-1]] | np.r_[True, document[1:] != document[:-1]])
    kept = stripped.filter(pl.Series(filled))
    codes = kept.to_arrow().cast(pa.large_string()).dictionary_encode().indices
    return Lines(
        offsets=offsets_of(np.bincount(document[filled], minlength=len(raw_counts))),
        texts=kept,
        lengths=lengths[filled],
        codes=codes.to_numpy(zero_copy_only=False).astype(np.int64),
        paragraphs=(np.cumsum(starts) - 1)[filled],
        breaks=raw_counts - 1,
    )


def paragraph_keys(lines: Lines) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each paragraph its document, its characters (with line feeds), and a key that equal paragraphs share."""
    if not len(lines.paragraphs):
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty, empty.astype(np.uint64)
    first = np.flatnonzero(np.r_[True, lines.paragraphs[1:] != lines.paragraphs[:-1]])
    sizes = np.diff(np.r_[first, len(lines.paragraphs)])
    place = np.arange(len(lines.paragraphs)) - np.repeat(first, sizes)
    mixed = (lines.codes.astype(np.uint64) + np.uint64(1)) * ODD
    mixed = (mixed ^ (mixed >> np.uint64(29))) * (ODD + np.uint64(2) * place.astype(np.uint64))
    mixed ^= mixed >> np.uint64(32)
    return lines.owners[first], np.add.reduceat(lines.lengths, first) + sizes - 1, np.add.reduceat(mixed, first)
