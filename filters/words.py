"""Words: one definition, split once for a batch, shared by the rules and by MinHash.

Words are the runs of letters, digits and marks (`runs.py`), lower-cased; an ideograph is a word of its own. What a
letter is follows Rust's Unicode tables, not Python's. Each distinct word of a batch is kept once; everything that
depends on the word alone (its length, whether it is a stop word) is computed once a word and gathered by code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from filters.runs import IDEOGRAPHS, gathered, hash_pieces, padded, split_runs
from filters.segments import offsets_of

WORDS_VERSION = 2  # part of every signature's identity: change it with the pattern, the case rule or the hash
WORD = rf"[{IDEOGRAPHS}]|[\w--[{IDEOGRAPHS}]]+"  # the definition, as a regular expression


@dataclass(frozen=True, slots=True)
class Words:
    """The lower-cased words of n documents: flat `codes` into `vocabulary`, cut by `offsets` (n + 1)."""

    offsets: np.ndarray  # int64
    codes: np.ndarray  # int32, one for each word in reading order
    vocabulary: pa.LargeStringArray  # the distinct words
    hashes: np.ndarray  # uint64, of each distinct word: stable across processes, machines and versions

    @property
    def counts(self) -> np.ndarray:
        """Words in each document, int64."""
        return np.diff(self.offsets)

    @property
    def lengths(self) -> np.ndarray:
        """Characters in each distinct word, int64."""
        return pc.utf8_length(self.vocabulary).to_numpy(zero_copy_only=False).astype(np.int64)

    def matching(self, pattern: str) -> np.ndarray:
        """Which distinct words match a regular expression, bool."""
        return pl.Series(self.vocabulary, dtype=pl.String).str.contains(pattern).to_numpy()

    def among(self, words: frozenset[str]) -> np.ndarray:
        """Which distinct words are in the set, bool."""
        values = pa.array(sorted(words), type=self.vocabulary.type)
        return pc.is_in(self.vocabulary, value_set=values).to_numpy(zero_copy_only=False)


def split_words(texts: pl.Series) -> Words:
    """Split a string series without nulls into words by `WORD`, lower-cased."""
    runs = split_runs(texts)
    chosen = np.flatnonzero(runs.words)
    offsets = np.searchsorted(chosen, runs.offsets)
    return _encoded(runs.data, runs.starts[chosen], runs.sizes[chosen], offsets)


def given_words(lists: pl.Series) -> Words:
    """The words of a series of lists of strings, split by whatever made them."""
    data, ends = padded(lists.explode().drop_nulls())
    return _encoded(data, ends[:-1], np.diff(ends), offsets_of(lists.list.len().to_numpy()))


def _encoded(data: np.ndarray, starts: np.ndarray, sizes: np.ndarray, offsets: np.ndarray) -> Words:
    encoded = pa.array(hash_pieces(data, starts, sizes)).dictionary_encode()
    codes = encoded.indices.to_numpy()
    highest = np.maximum.accumulate(codes)  # codes are given in the order of their first appearance
    first = np.flatnonzero(np.diff(highest, prepend=-1))
    return Words(offsets, codes, gathered(data, starts[first], sizes[first]), encoded.dictionary.to_numpy())
