"""Buckets into pairs, pairs into components."""

from __future__ import annotations

import numpy as np


def linked(bands: np.ndarray, rank: np.ndarray, bucket: int) -> np.ndarray:
    """Pairs (m × 2, row numbers) of texts that share a band, each once, better rank first.

    `bands` is n × b; `rank` a place a row. In a bucket of at most `bucket` texts all pairs are made. In a larger one
    each is paired with the best and with its neighbour by rank, or a licence text would cost the square of its copies.
    """
    found = [_pairs_of(bands[:, band], rank, bucket) for band in range(bands.shape[1])]
    pairs = np.concatenate(found) if found else np.zeros((0, 2), dtype=np.int64)
    return np.unique(pairs, axis=0) if len(pairs) else pairs


def components(pairs: np.ndarray, size: int) -> np.ndarray:
    """For each of `size` nodes the number of its component: the smallest node in it (union by smaller root)."""
    parent = list(range(size))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in pairs.tolist():
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return np.array([root(node) for node in range(size)], dtype=np.int64)


def _pairs_of(keys: np.ndarray, rank: np.ndarray, bucket: int) -> np.ndarray:
    order = np.lexsort((rank, keys))
    ends = np.flatnonzero(np.r_[keys[order][1:] != keys[order][:-1], True]) + 1 if len(keys) else np.zeros(0, int)
    starts = np.r_[0, ends[:-1]] if len(ends) else ends
    size = np.repeat(ends - starts, ends - starts)  # of the bucket that a sorted row is in
    place = np.arange(len(order)) - np.repeat(starts, ends - starts)
    pairs = []
    for step in range(1, bucket):
        later = np.flatnonzero((place >= step) & ((size <= bucket) | (step == 1)))
        if not later.size:
            break
        pairs.append(np.stack([order[later - step], order[later]], axis=1))
    far = np.flatnonzero((size > bucket) & (place > 1))
    pairs.append(np.stack([order[far - place[far]], order[far]], axis=1))
    return np.concatenate(pairs)
