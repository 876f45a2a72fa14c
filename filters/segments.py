"""Arithmetic over flat arrays that are cut into documents by offsets, as Arrow lists are."""

from __future__ import annotations

import numpy as np


def offsets_of(counts: np.ndarray) -> np.ndarray:
    """Offsets, int64 of length n + 1, of n segments with the given lengths."""
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def owners(offsets: np.ndarray) -> np.ndarray:
    """For each element of the flat array the number of its segment, int64."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def sums(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Sum of each segment, int64, exact; an empty segment sums to 0. `values` are whole numbers or flags."""
    total = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values, dtype=np.int64, out=total[1:])
    return total[offsets[1:]] - total[offsets[:-1]]


def maxima(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Maximum of each segment; 0 for an empty one. `values` are not negative."""
    result = np.zeros(len(offsets) - 1, dtype=values.dtype)
    filled = np.flatnonzero(np.diff(offsets) > 0)
    if filled.size:
        result[filled] = np.maximum.reduceat(values, offsets[filled])
    return result


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole` as float32, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(len(part), dtype=np.float64), where=whole > 0).astype(np.float32)
