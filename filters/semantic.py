"""Texts that say the same in other words: near in an embedding, found cluster by cluster (SemDeDup, Abbas 2023).

Nothing is verified here: two texts on the same matter may be as near as a text and its retelling. So the verdict is a
score with a threshold of the recipe's, off unless asked for, and the share that would go is told for several thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MEMBERS = 1000  # of a cluster, about: the work is quadratic in it
BLOCK = 2048


@dataclass(frozen=True, slots=True)
class Nearest:
    """For each text the better text of its cluster that is nearest, its place or -1, and their cosine similarity."""

    place: np.ndarray  # int64
    cosine: np.ndarray  # float32, -1 where there is none


def nearest_better(vectors: np.ndarray, rank: np.ndarray, seed: int = 17) -> Nearest:
    """`vectors` float32 [n, d] of unit rows, `rank` int64 [n], the best text first (0)."""
    place, cosine = np.full(len(vectors), -1, np.int64), np.full(len(vectors), -1, np.float32)
    for members in _clusters(vectors, seed):
        ordered = members[np.argsort(rank[members], kind="stable")]
        own = vectors[ordered]
        for start in range(0, len(ordered), BLOCK):
            rows = np.arange(start, min(start + BLOCK, len(ordered)))
            near = own[rows] @ own[: rows[-1] + 1].T
            near[np.arange(rows[-1] + 1)[None, :] >= rows[:, None]] = -1  # only better ones
            best = near.argmax(axis=1)
            found = near[np.arange(len(rows)), best]
            hit = found > -1
            place[ordered[rows[hit]]], cosine[ordered[rows[hit]]] = ordered[best[hit]], found[hit]
    return Nearest(place, cosine)


def repeats(nearest: Nearest, threshold: float) -> np.ndarray:
    """Which texts go at a threshold, bool [n]: those whose nearest better text is at least that near."""
    return nearest.cosine >= np.float32(threshold)


def shares(nearest: Nearest, thresholds: Sequence[float] = (0.98, 0.95, 0.9, 0.85, 0.8)) -> list[tuple[float, float]]:
    """(threshold, share of the texts that would go)."""
    return [(value, float(repeats(nearest, value).mean()) if len(nearest.cosine) else 0.0) for value in thresholds]


def _clusters(vectors: np.ndarray, seed: int) -> list[np.ndarray]:
    count = max(1, len(vectors) // MEMBERS)
    if count == 1:
        return [np.arange(len(vectors))]
    from sklearn.cluster import MiniBatchKMeans

    labels = MiniBatchKMeans(count, random_state=seed, n_init=3).fit_predict(vectors)
    return [np.flatnonzero(labels == one) for one in np.unique(labels)]
