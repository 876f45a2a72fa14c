"""Other ways to choose: by the band of a score, by spread over an embedding, by nearness to prototypes."""

from __future__ import annotations

from typing import Literal

import numpy as np

Band = Literal["low", "middle", "high"]


def band_rows(scores: np.ndarray, kept: int, band: Band) -> np.ndarray:
    """The `kept` items with the lowest, the middle or the highest scores (of a reference model's loss, Marion 2023 found
    the middle best and the lowest worst)."""
    order = np.argsort(scores, kind="stable")
    start = {"low": 0, "middle": (len(order) - kept) // 2, "high": len(order) - kept}[band]
    return np.sort(order[start : start + kept])


def k_centre_rows(vectors: np.ndarray, kept: int) -> np.ndarray:
    """Farthest-first: each item is the one farthest from those chosen so far; `vectors` float [n, d] of unit length."""
    centre = vectors.mean(axis=0)
    chosen = [int(np.argmax(vectors @ centre))]
    nearest = 1 - vectors @ vectors[chosen[0]]
    for _ in range(min(kept, len(vectors)) - 1):
        chosen.append(int(np.argmax(nearest)))
        np.minimum(nearest, 1 - vectors @ vectors[chosen[-1]], out=nearest)
    return np.sort(np.array(chosen))


def prototypicality(vectors: np.ndarray, clusters: int, seed: int) -> np.ndarray:
    """Cosine distance of each item to the centre of its cluster, float [n] (Sorscher 2022: keep the far ones when data are
    plenty, the near ones when they are scarce)."""
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(min(clusters, len(vectors)), random_state=seed, n_init=3).fit(vectors)
    centres = model.cluster_centers_ / np.maximum(np.linalg.norm(model.cluster_centers_, axis=1, keepdims=True), 1e-12)
    return 1 - np.einsum("ij,ij->i", vectors, centres[model.labels_])
