"""Gopher's repetition statistics (Rae et al. 2021, table A1), each counted as datatrove counts it.

A repeated (n+1)-gram starts where a repeated n-gram starts, so each n looks only at the places that repeated at
n - 1: ordinary text costs one full pass (word pairs) and little more. N-grams are told apart by 64-bit hashes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from filters.batch import Batch
from filters.lines import Lines, split_paragraphs
from filters.segments import offsets_of, owners, ratio
from filters.words import Words

SOME = 1 << 16  # rows made Python numbers at a time: bounds memory
TOP = (2, 3, 4)
REPEATED = (5, 6, 7, 8, 9, 10)
STEP = np.uint64(0xD1342543DE82EF95)  # an odd multiplier with well-spread bits (Steele and Vigna 2021, LCG table)


def score(batch: Batch) -> dict[str, np.ndarray]:
    """Shares of lines, paragraphs and characters that repeat something the same document said before."""
    scores = {**_line_scores(batch), **_paragraph_scores(batch)}
    places = _Places.of(batch.words)
    ends = offsets_of(batch.words.lengths[batch.words.codes])
    for n in range(2, max(REPEATED) + 1):
        places = places.longer(batch.words)
        if n in TOP:
            scores[f"repetition.top_{n}gram"] = ratio(places.top_characters(batch.words, ends), batch.characters)
        if n in REPEATED:
            scores[f"repetition.repeated_{n}gram"] = ratio(
                places.repeated_characters(batch.words, ends), batch.characters
            )
    return scores


def repeated(documents: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Which elements have the same code (a small whole number) as an earlier one of the same document, bool."""
    _, first = np.unique(documents * (codes.max(initial=0) + 1) + codes, return_index=True)
    again = np.ones(len(codes), dtype=bool)
    again[first] = False
    return again


def repeated_line_characters(lines: Lines) -> np.ndarray:
    """Characters in lines that repeat an earlier line of their document and are more than blanks, int64 a document."""
    return lines.count(lines.lengths * (repeated(lines.owners, lines.codes) & (lines.widths > 0)))


def _line_scores(batch: Batch) -> dict[str, np.ndarray]:
    """A line feed at an end of the document has an empty line before or behind it; two such repeat each other."""
    lines = batch.lines
    again = repeated(lines.owners, lines.codes)
    opens, closes = lines.opens.astype(np.int64), lines.closes.astype(np.int64)
    return {
        "repetition.lines": ratio(lines.count(again) + opens * closes, lines.counts + opens + closes),
        "repetition.line_characters": ratio(lines.count(lines.lengths * again), batch.characters),
    }


def _paragraph_scores(batch: Batch) -> dict[str, np.ndarray]:
    parts = split_paragraphs(batch.lines)
    again = repeated(parts.documents, np.unique(parts.keys, return_inverse=True)[1])
    total = np.bincount(parts.documents, minlength=len(batch))
    same = np.bincount(parts.documents, weights=again, minlength=len(batch))
    size = np.bincount(parts.documents, weights=again * parts.characters, minlength=len(batch))
    return {
        "repetition.paragraphs": ratio(same, total),
        "repetition.paragraph_characters": ratio(size, batch.characters),
    }


@dataclass(frozen=True, slots=True)
class _Places:
    """Starts of n-grams that repeat: word positions in order, the rolling key of each, and its group."""

    n: int
    positions: np.ndarray
    keys: np.ndarray  # uint64; the document is part of the key
    groups: np.ndarray  # equal n-grams of a document share a group; groups are numbered by first appearance
    sizes: np.ndarray  # n-grams in each group

    @classmethod
    def of(cls, words: Words) -> _Places:
        keys = words.hashes[words.codes] ^ (owners(words.offsets).astype(np.uint64) * STEP)
        empty = np.zeros(0, dtype=np.int64)
        return cls(1, np.arange(len(words.codes)), keys, empty, empty)

    def longer(self, words: Words) -> _Places:
        """Of the same starts, one word longer, those whose n-gram is in the same document more than once."""
        ends = words.offsets[np.searchsorted(words.offsets, self.positions, side="right")]
        fits = self.positions + self.n < ends
        positions = self.positions[fits]
        keys = self.keys[fits] * STEP + words.hashes[words.codes[positions + self.n]]
        keys ^= keys >> np.uint64(31)
        again = pl.Series(keys).is_duplicated().to_numpy()
        encoded = pa.array(keys[again]).dictionary_encode()
        groups = encoded.indices.to_numpy(zero_copy_only=False)
        sizes = np.bincount(groups, minlength=len(encoded.dictionary))
        return _Places(self.n + 1, positions[again], keys[again], groups, sizes)

    def top_characters(self, words: Words, ends: np.ndarray) -> np.ndarray:
        """Characters of the most frequent n-gram (the first of equals), spaces inside included, times its count."""
        best = np.where(words.counts >= self.n, _gram_lengths(ends, words.offsets[:-1], self.n), 0)
        if not len(self.groups):
            return best
        _, first = np.unique(self.groups, return_index=True)  # groups are numbered by appearance: first is sorted
        documents = np.searchsorted(words.offsets, self.positions[first], side="right") - 1
        order = np.lexsort((first, -self.sizes, documents))
        _, winners = np.unique(documents[order], return_index=True)
        group = order[winners]
        best[documents[group]] = _gram_lengths(ends, self.positions[first[group]], self.n) * self.sizes[group]
        return best

    def repeated_characters(self, words: Words, ends: np.ndarray) -> np.ndarray:
        """Characters in n-grams that occurred before, read left to right; a counted n-gram is stepped over."""
        total = np.zeros(len(words.offsets) - 1, dtype=np.int64)
        if not len(self.positions):
            return total
        lengths = _gram_lengths(ends, self.positions, self.n) - (self.n - 1)
        documents = np.searchsorted(words.offsets, self.positions, side="right") - 1
        seen: set[int] = set()
        free = 0
        columns = (self.positions, self.groups, lengths, documents)
        for begin in range(0, len(lengths), SOME):
            rows = zip(*(column[begin : begin + SOME].tolist() for column in columns), strict=True)
            for position, group, length, document in rows:
                if position < free:
                    continue
                if group in seen:
                    total[document] += length
                    free = position + self.n
                else:
                    seen.add(group)
        return total


def _gram_lengths(ends: np.ndarray, starts: np.ndarray, n: int) -> np.ndarray:
    """Characters of n-grams with single spaces between words; `ends` are running sums of word lengths."""
    last = len(ends) - 1
    return ends[np.minimum(starts + n, last)] - ends[np.minimum(starts, last)] + n - 1
