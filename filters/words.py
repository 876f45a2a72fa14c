"""Words: one definition, split once for a batch, shared by the rules and by MinHash.

The split and the lower-casing run in Polars (Rust), so the words are those of Rust's Unicode tables, not Python's.
Each distinct word of a batch is kept once; everything that depends on the word alone (its hash, its length, whether
it is a stop word) is computed once a word and gathered by code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from filters.segments import offsets_of

WORDS_VERSION = 1  # part of every signature's identity: change it with the pattern, the case rule or the hash
IDEOGRAPHS = r"\p{Han}\p{Hiragana}\p{Katakana}"  # written without spaces: each character is a word
WORD = rf"[{IDEOGRAPHS}]|[\w--[{IDEOGRAPHS}]]+"


@dataclass(frozen=True, slots=True)
class Words:
    """The lower-cased words of n documents: flat `codes` into `vocabulary`, cut by `offsets` (n + 1)."""

    offsets: np.ndarray  # int64
    codes: np.ndarray  # int32, one for each word in reading order
    vocabulary: pa.LargeStringArray  # the distinct words
    hashes: np.ndarray  # uint64, xxh3 of each distinct word: stable across processes, machines and versions

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
        return pc.match_substring_regex(self.vocabulary, pattern).to_numpy(zero_copy_only=False)

    def among(self, words: frozenset[str]) -> np.ndarray:
        """Which distinct words are in the set, bool."""
        values = pa.array(sorted(words), type=self.vocabulary.type)
        return pc.is_in(self.vocabulary, value_set=values).to_numpy(zero_copy_only=False)


def split_words(texts: pl.Series) -> Words:
    """Split a string series without nulls into words by `WORD`, lower-cased."""
    lists = texts.str.to_lowercase().str.extract_all(WORD)
    flat = lists.explode().drop_nulls().to_arrow()
    encoded = flat.cast(pa.large_string()).dictionary_encode()
    vocabulary = encoded.dictionary
    hashes = np.fromiter(
        (xxhash.xxh3_64_intdigest(word.encode()) for word in vocabulary.to_pylist()), np.uint64, len(vocabulary)
    )
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return Words(offsets_of(lists.list.len().to_numpy()), codes, vocabulary, hashes)
