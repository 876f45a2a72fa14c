"""Lines: split once for a batch, shared by all rules that look at lines or paragraphs.

The published rules do not agree on what a line is, and the verdict depends on it. FineWeb's and Gopher's repetition
rules read the pieces between line feeds as they are, blanks at their ends included; Gopher's quality and C4's rules
read stripped lines, which end at every Unicode boundary. Both are here; for nearly all batches they are one split.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from filters.marks import BLANK, BREAK
from filters.segments import offsets_of, owners, sums

ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads small numbers over all bits


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of n documents that are not empty, cut by `offsets` (n + 1); empty ones are only counted.

    A line may be of blanks alone: its `widths` is 0.
    """

    offsets: np.ndarray  # int64
    texts: pl.Series  # as they stand
    stripped: pl.Series
    lengths: np.ndarray  # int64, characters as they stand
    widths: np.ndarray  # int64, characters of the stripped line
    codes: np.ndarray  # int64: equal number, equal line, within the batch
    paragraphs: np.ndarray  # int64: the number of the paragraph that a line is in, over the whole batch
    breaks: np.ndarray  # int64, n: line feeds in each document
    opens: np.ndarray  # bool, n: the document begins with a line feed
    closes: np.ndarray  # bool, n: the document ends with one

    @property
    def counts(self) -> np.ndarray:
        """Lines that are not empty in each document."""
        return np.diff(self.offsets)

    @property
    def visible(self) -> np.ndarray:
        """Lines of each document that are more than blanks."""
        return self.count(self.widths > 0)

    @property
    def owners(self) -> np.ndarray:
        """The document of each line."""
        return owners(self.offsets)

    def count(self, flags: pl.Series | np.ndarray) -> np.ndarray:
        """How many lines of each document have the flag (or the sum of a whole number a line)."""
        values = flags.to_numpy() if isinstance(flags, pl.Series) else flags
        return sums(values, self.offsets)


def split_lines(texts: pl.Series) -> Lines:
    """Split a string series without nulls at line feeds."""
    lists = texts.str.split("\n")
    pieces = lists.list.len().to_numpy().astype(np.int64)
    every = lists.explode()
    filled = (every.str.len_bytes() > 0).to_numpy()
    document = np.repeat(np.arange(len(pieces)), pieces)
    # A paragraph starts at a line that is the first of its document or follows an empty one.
    starts = filled & (np.r_[True, ~filled[:-1]] | np.r_[True, document[1:] != document[:-1]])
    kept = every.filter(pl.Series(filled))
    stripped = kept.str.strip_chars(BLANK)
    return Lines(
        offsets=offsets_of(np.bincount(document[filled], minlength=len(pieces))),
        texts=kept,
        stripped=stripped,
        lengths=_characters(kept),
        widths=_characters(stripped),
        codes=_coded(kept),
        paragraphs=(np.cumsum(starts) - 1)[filled],
        breaks=pieces - 1,
        opens=texts.str.starts_with("\n").to_numpy(),
        closes=texts.str.ends_with("\n").to_numpy(),
    )


def broken_lines(texts: pl.Series, lines: Lines) -> Lines:
    """The lines between all of Unicode's boundaries; `lines` themselves where no text has another than the line feed."""
    odd = texts.str.contains(BREAK)
    if not odd.any():
        return lines
    return split_lines(texts.to_frame("text").select(
        pl.when(odd).then(pl.col("text").str.replace_all(BREAK, "\n")).otherwise(pl.col("text"))
    ).to_series())  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paragraphs:
    """Runs of lines without an empty one between, blanks at both ends of the document taken away."""

    documents: np.ndarray  # int64, the document of each paragraph
    characters: np.ndarray  # int64, line feeds inside included
    keys: np.ndarray  # uint64: equal key, equal paragraph


def split_paragraphs(lines: Lines) -> Paragraphs:
    """The paragraphs of all documents. One of blanks alone has none."""
    inner, codes, lengths = _trimmed(lines)
    numbers = lines.paragraphs[inner]
    if not len(numbers):
        empty = np.zeros(0, dtype=np.int64)
        return Paragraphs(empty, empty, empty.astype(np.uint64))
    first = np.flatnonzero(np.r_[True, numbers[1:] != numbers[:-1]])
    sizes = np.diff(np.r_[first, len(numbers)])
    place = np.arange(len(numbers)) - np.repeat(first, sizes)
    mixed = (codes.astype(np.uint64) + np.uint64(1)) * ODD
    mixed = (mixed ^ (mixed >> np.uint64(29))) * (ODD + np.uint64(2) * place.astype(np.uint64))
    mixed ^= mixed >> np.uint64(32)
    characters = np.add.reduceat(lengths, first) + sizes - 1
    return Paragraphs(lines.owners[inner][first], characters, np.add.reduceat(mixed, first))


def _trimmed(lines: Lines) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lines from the first to the last of each document that are more than blanks, with the codes and lengths that they
    have once the document is stripped."""
    seen = np.flatnonzero(lines.widths > 0)
    owner = lines.owners
    first, last = seen[_edges(owner[seen])[0]], seen[_edges(owner[seen])[1]]
    bound = np.zeros(len(lines.offsets) - 1, dtype=np.int64)
    low, high = bound.copy(), bound - 1
    low[owner[first]], high[owner[last]] = first, last
    place = np.arange(len(owner))
    inner = np.flatnonzero((place >= low[owner]) & (place <= high[owner]))
    padded = np.flatnonzero(lines.lengths > lines.widths)
    heads, tails = np.isin(padded, first), np.isin(padded, last)
    edge = padded[heads | tails]
    lengths, codes = lines.lengths.copy(), lines.codes
    if len(edge):
        column = pl.DataFrame(
            {"text": lines.texts.gather(edge), "head": heads[heads | tails], "tail": tails[heads | tails]}
        )
        cut = pl.when("head").then(pl.col("text").str.strip_chars_start(BLANK)).otherwise("text")
        cut = pl.when("tail").then(cut.str.strip_chars_end(BLANK)).otherwise(cut)
        edited = column.select(cut).to_series()
        codes = _coded(pl.concat([lines.texts, edited.rename(lines.texts.name)]))
        codes[edge], lengths[edge] = codes[len(owner) :], _characters(edited)
        codes = codes[: len(owner)]
    return inner, codes[inner], lengths[inner]


def _edges(owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last place of each run of equal numbers."""
    if not len(owner):
        return owner, owner
    change = np.flatnonzero(owner[1:] != owner[:-1])
    return np.r_[0, change + 1], np.r_[change, len(owner) - 1]


def _characters(texts: pl.Series) -> np.ndarray:
    return texts.str.len_chars().to_numpy().astype(np.int64)


def _coded(texts: pl.Series) -> np.ndarray:
    codes = texts.to_arrow().cast(pa.large_string()).dictionary_encode().indices
    return codes.to_numpy(zero_copy_only=False).astype(np.int64)
