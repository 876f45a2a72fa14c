"""Buckets into pairs, pairs into components."""

from __future__ import annotations

import numpy as np


def pairs_of(keys: np.ndarray, rank: np.ndarray, bucket: int) -> np.ndarray:
    """Pairs (m × 2, places) of texts with the same key, better rank first.

    In a bucket of at most `bucket` texts all pairs are made. In a larger one each is paired with the best and with its
    neighbour by rank, or a licence text would cost the square of its copies.
    """
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


def components(pairs: np.ndarray, size: int) -> np.ndarray:
    """For each of `size` nodes the smallest node of its component, int64; `pairs` are m × 2.

    Union-find over arrays: the root of either side hooks onto the smaller one, then every path is halved until it is
    one step long; the number of rounds grows with the logarithm of the longest chain.
    """
    root = np.arange(size)
    while len(pairs):
        one, other = root[pairs[:, 0]], root[pairs[:, 1]]
        apart = one != other
        pairs, one, other = pairs[apart], one[apart], other[apart]
        np.minimum.at(root, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(shorter := root[root], root):
            root = shorter
    return root
