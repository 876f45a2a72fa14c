"""Texts that say the same in other words: near in an embedding, found cluster by cluster (SemDeDup, Abbas 2023).

Nothing is verified here: two texts on the same matter may be as near as a text and its retelling. So the verdict is a
score with a threshold of the recipe's, off unless asked for, and the share that would go is told for several thresholds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

MEMBERS = 1000  # of a cluster, about: the work is quadratic in it
BLOCK, WIDE = 2048, 8192  # vectors that are compared at once
SAMPLE = (1 << 18) - 1  # vectors that the clusters are found from: 128 MiB
PREDICTED = 1 << 14


class Vectors(Protocol):
    """Rows of float32: an array, or a file that reads the rows it is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray: ...


@dataclass(frozen=True, slots=True)
class Nearest:
    """For each text the better text of its cluster that is nearest, its place or -1, and their cosine similarity."""

    place: np.ndarray  # int64
    cosine: np.ndarray  # float32, -1 where there is none


def nearest_better(vectors: Vectors, rank: np.ndarray, seed: int = 17) -> Nearest:
    """`vectors` float32 [n, d] of unit rows, in memory or in a file; `rank` int64 [n], the best text first (0).

    Held are up to `SAMPLE` vectors, then some thousand at a time, and about 40 bytes a text.
    """
    place, cosine = np.full(len(vectors), -1, np.int64), np.full(len(vectors), -1, np.float32)
    for members in _clusters(vectors, seed):
        ordered = members[np.argsort(rank[members], kind="stable")]
        for start in range(0, len(ordered), BLOCK):
            rows = ordered[start : start + BLOCK]
            best, found = _nearest_before(vectors, ordered, start, len(rows))
            hit = found > -1
            place[rows[hit]], cosine[rows[hit]] = ordered[best[hit]], found[hit]
    return Nearest(place, cosine)


def _nearest_before(vectors: Vectors, ordered: np.ndarray, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """For `count` texts from `start` the place in `ordered` of the nearest one before each, and its cosine, else -1."""
    rows, places = vectors[ordered[start : start + count]], np.arange(start, start + count)
    best, found = np.zeros(count, np.int64), np.full(count, -1, np.float32)
    for begin in range(0, start + count, WIDE):
        columns = np.arange(begin, min(begin + WIDE, start + count))
        near = rows @ vectors[ordered[columns]].T
        near[columns[None, :] >= places[:, None]] = -1  # only better ones
        nearest = near.argmax(axis=1)
        value = near[np.arange(count), nearest]
        nearer = value > found
        best[nearer], found[nearer] = begin + nearest[nearer], value[nearer]
    return best, found


def repeats(nearest: Nearest, threshold: float) -> np.ndarray:
    """Which texts go at a threshold, bool [n]: those whose nearest better text is at least that near."""
    return nearest.cosine >= np.float32(threshold)


def shares(nearest: Nearest, thresholds: Sequence[float] = (0.98, 0.95, 0.9, 0.85, 0.8)) -> list[tuple[float, float]]:
    """(threshold, share of the texts that would go)."""
    return [(value, float(repeats(nearest, value).mean()) if len(nearest.cosine) else 0.0) for value in thresholds]


def _clusters(vectors: Vectors, seed: int) -> Iterator[np.ndarray]:
    """The texts of each cluster, in order; of more than `SAMPLE` texts the clusters are those of an even sample."""
    count = max(1, len(vectors) // MEMBERS)
    if count == 1:
        yield np.arange(len(vectors))
        return
    from sklearn.cluster import MiniBatchKMeans

    fitted = MiniBatchKMeans(count, random_state=seed, n_init=3)
    if len(vectors) <= SAMPLE:
        labels = fitted.fit_predict(vectors[slice(None)])
    else:
        fitted.fit(vectors[np.arange(SAMPLE) * len(vectors) // SAMPLE])
        cuts = range(0, len(vectors), PREDICTED)
        labels = np.concatenate([fitted.predict(vectors[slice(start, start + PREDICTED)]) for start in cuts])
    order = np.argsort(labels, kind="stable")
    ends = np.flatnonzero(np.diff(labels[order])) + 1
    for start, end in zip([0, *ends.tolist()], [*ends.tolist(), len(order)], strict=True):
        yield order[start:end]
