"""Signatures: word shingles, their MinHash, and the bands that make two texts candidates.

rensa's full-set mode sees every shingle. (Its faster sampling mode found 164 of 309 planted pairs of similarity .8 and
more where the full set found 308; FILTERS measurement 4.2.) A signature depends on the text, the word definition, the
shingle length and the seed alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import xxhash

from filters.config import DuplicatesConfig
from filters.segments import offsets_of
from filters.words import Words, split_words

SEED = 42
STEP = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Signatures:
    """Of n texts: `exact` names the normalised text, `bands` its near-duplicate buckets (unset rows of short texts)."""

    exact: np.ndarray  # object: 16 bytes, xxh3-128 of the text with case lowered and white space folded
    bands: np.ndarray  # uint64, n × bands
    long: np.ndarray  # bool: has at least one shingle; other texts are only compared exactly


def sign(texts: pl.Series, config: DuplicatesConfig) -> Signatures:
    """Signatures of a string series without nulls."""
    folded = texts.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    exact = np.array([xxhash.xxh3_128_digest(text.encode()) for text in folded.to_list()], dtype=object)
    hashes, offsets = shingles(split_words(texts), config.shingle)
    return Signatures(exact, _bands(_digests(hashes, offsets, config), config), np.diff(offsets) > 0)


def shingles(words: Words, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A uint64 for every window of `size` words within a text, and the offsets (n + 1) that cut them into texts."""
    flat = words.hashes[words.codes] if len(words.codes) else np.zeros(0, dtype=np.uint64)
    return rolled(flat, words.offsets, size)


def rolled(tokens: np.ndarray, cuts: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The same for any hashed tokens (uint64), cut into texts by `cuts` (n + 1)."""
    counts = np.maximum(np.diff(cuts) - size + 1, 0)
    offsets = offsets_of(counts)
    starts = np.repeat(cuts[:-1] - offsets[:-1], counts) + np.arange(offsets[-1])
    mixed = np.zeros(len(starts), dtype=np.uint64)
    for place in range(size):
        mixed = mixed * STEP + tokens[starts + place]
        mixed ^= mixed >> np.uint64(32)
    return mixed * STEP, offsets


def shingle_sets(texts: pl.Series, config: DuplicatesConfig) -> list[np.ndarray]:
    """The sorted distinct shingles of each text: what exact Jaccard similarity is taken over."""
    hashes, offsets = shingles(split_words(texts), config.shingle)
    return [np.unique(hashes[start:end]) for start, end in zip(offsets[:-1], offsets[1:], strict=True)]  # noqa: RUF007


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Exact Jaccard similarity of two sorted sets; 0 for two empty ones."""
    common = len(np.intersect1d(a, b, assume_unique=True))
    total = len(a) + len(b) - common
    return common / total if total else 0.0


def s_curve(config: DuplicatesConfig) -> list[tuple[float, float]]:
    """(similarity, probability that the index proposes the pair), from 0 to 1 in steps of .05."""
    points = [step / 20 for step in range(21)]
    return [(value, 1 - (1 - value**config.rows) ** config.bands) for value in points]


def _digests(hashes: np.ndarray, offsets: np.ndarray, config: DuplicatesConfig) -> np.ndarray:
    from rensa import RMinHash

    width = config.bands * config.rows
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets.astype(np.uint64), width, SEED)
    return np.array(matrix.to_rows(), dtype=np.uint64).reshape(len(offsets) - 1, width)


def _bands(digests: np.ndarray, config: DuplicatesConfig) -> np.ndarray:
    """One uint64 for the hashes of each band; a chance collision only makes a candidate, which is then verified."""
    cut = digests.reshape(len(digests), config.bands, config.rows)
    bands = np.broadcast_to(np.arange(config.bands, dtype=np.uint64) * STEP, cut.shape[:2]).copy()
    for row in range(config.rows):
        bands = (bands + cut[:, :, row]) * STEP
        bands ^= bands >> np.uint64(29)
    return bands
