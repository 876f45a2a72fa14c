"""Signatures: word shingles, their MinHash, and the bands that make two texts candidates.

rensa's full-set mode sees every shingle. (Its faster sampling mode found 164 of 309 planted pairs of similarity .8 and
more where the full set found 308; FILTERS measurement 4.2.) A signature depends on the text, the word definition, the
shingle length and the seed alone.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import polars as pl
import xxhash

from filters.config import DuplicatesConfig
from filters.runs import STEP, Runs, hash_pieces, split_runs
from filters.segments import offsets_of
from filters.words import Words

SEED = 42


@dataclass(frozen=True, slots=True)
class Signatures:
    """Of n texts: `exact` names the normalised text, `bands` its near-duplicate buckets (unset rows of short texts)."""

    exact: np.ndarray  # object: 16 bytes, xxh3-128 of the text with case lowered and white space folded
    bands: np.ndarray  # uint64, n × bands
    shingles: np.ndarray  # int64: how many there are; texts without one are only compared exactly


def sign(texts: pl.Series, config: DuplicatesConfig) -> Signatures:
    """Signatures of a string series without nulls."""
    return _signed(*_shingled(texts, config), config)


def sign_with_sets(texts: pl.Series, config: DuplicatesConfig) -> tuple[Signatures, list[np.ndarray]]:
    """Signatures and `shingle_sets`, of one split."""
    exact, hashes, offsets = _shingled(texts, config)
    return _signed(exact, hashes, offsets, config), _sets(hashes, offsets)


def _shingled(texts: pl.Series, config: DuplicatesConfig) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exact digests, and shingles with the offsets that cut them into texts."""
    runs = split_runs(texts)
    run_hashes = hash_pieces(runs.data, runs.starts, runs.sizes)
    words, exact = _words(runs, run_hashes), _exact(runs, run_hashes)
    del runs, run_hashes  # of one endless text they are hundreds of megabytes
    return exact, *rolled(*words, config.shingle)


def _signed(exact: np.ndarray, hashes: np.ndarray, offsets: np.ndarray, config: DuplicatesConfig) -> Signatures:
    return Signatures(exact, _bands(_digests(hashes, offsets, config), config), np.diff(offsets))


def shingles(words: Words, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A uint64 for every window of `size` words within a text, and the offsets (n + 1) that cut them into texts."""
    return rolled(words.hashes[words.codes], words.offsets, size)


def rolled(tokens: np.ndarray, cuts: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The same for any hashed tokens (uint64), cut into texts by `cuts` (n + 1)."""
    windows = max(0, len(tokens) - size + 1)
    mixed, shifted = np.zeros(windows, np.uint64), np.empty(windows, np.uint64)
    for place in range(size):
        mixed *= STEP
        mixed += tokens[place : place + windows]
        mixed ^= np.right_shift(mixed, np.uint64(32), out=shifted)
    mixed *= STEP
    inside = np.ones(len(tokens), bool)
    for place in range(1, size):  # a window that begins in the last words of a text reaches into the next one
        ends = cuts[1:] - place
        inside[ends[ends >= 0]] = False
    return mixed[inside[:windows]], offsets_of(np.maximum(np.diff(cuts) - size + 1, 0))


def shingle_sets(texts: pl.Series, config: DuplicatesConfig) -> list[np.ndarray]:
    """The sorted distinct shingles of each text: what exact Jaccard similarity is taken over."""
    return _sets(*rolled(*_hashed_words(texts), config.shingle))


def _sets(hashes: np.ndarray, offsets: np.ndarray) -> list[np.ndarray]:
    cuts = offsets.tolist()
    return [_distinct(hashes[start:end]) for start, end in zip(cuts[:-1], cuts[1:], strict=True)]  # noqa: RUF007


def _distinct(values: np.ndarray) -> np.ndarray:
    """Sorted, each once; for a few hundred values several times as fast as `np.unique`."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Exact Jaccard similarity of two sorted sets; 0 for two empty ones."""
    both = np.concatenate([a, b])
    both.sort()
    common = np.count_nonzero(both[1:] == both[:-1])
    total = len(a) + len(b) - common
    return common / total if total else 0.0


def s_curve(config: DuplicatesConfig) -> list[tuple[float, float]]:
    """(similarity, probability that the index proposes the pair), from 0 to 1 in steps of .05."""
    points = [step / 20 for step in range(21)]
    return [(value, 1 - (1 - value**config.rows) ** config.bands) for value in points]


def _hashed_words(texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    runs = split_runs(texts)
    return _words(runs, hash_pieces(runs.data, runs.starts, runs.sizes))


def _words(runs: Runs, run_hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The hash of every word, and the offsets that cut them into texts."""
    chosen = np.flatnonzero(runs.words)
    return run_hashes[chosen], np.searchsorted(chosen, runs.offsets)


def _exact(runs: Runs, run_hashes: np.ndarray) -> np.ndarray:
    """xxh3-128 over the runs of each text and where white space is between them; changes `run_hashes`."""
    np.multiply(run_hashes, STEP, out=run_hashes, where=runs.apart)
    view, cuts = run_hashes.astype("<u8", copy=False).view(np.uint8).data, (8 * runs.offsets).tolist()
    digests = [xxhash.xxh3_128_digest(view[begin:end]) for begin, end in zip(cuts[:-1], cuts[1:], strict=True)]  # noqa: RUF007
    return np.array([*digests, None], dtype=object)[:-1]


def _digests(hashes: np.ndarray, offsets: np.ndarray, config: DuplicatesConfig) -> np.ndarray:
    """uint32 [n, bands × rows]; a text without a shingle has a row of its own kind, which nobody compares."""
    from rensa import RMinHash

    width = config.bands * config.rows
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets.astype(np.uint64), width, SEED)
    row = struct.Struct(f"<{width}I")  # five times as fast as an array of the lists
    packed = b"".join([row.pack(*values) for values in matrix.to_rows()])
    return np.frombuffer(packed, "<u4").reshape(len(offsets) - 1, width)


def _bands(digests: np.ndarray, config: DuplicatesConfig) -> np.ndarray:
    """One uint64 for the hashes of each band; a chance collision only makes a candidate, which is then verified."""
    cut = digests.reshape(len(digests), config.bands, config.rows)
    bands = np.broadcast_to(np.arange(config.bands, dtype=np.uint64) * STEP, cut.shape[:2]).copy()
    for row in range(config.rows):
        bands = (bands + cut[:, :, row]) * STEP
        bands ^= bands >> np.uint64(29)
    return bands
