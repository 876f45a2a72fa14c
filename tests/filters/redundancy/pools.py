"""Pools whose redundancy is known: kinds of items of which a few are asked for again and again, and pools without it."""

from __future__ import annotations

import numpy as np

from filters.redundancy.prune import Pool

FEATURES = 6


def _labels(features: np.ndarray, draw: np.random.Generator, noise: float) -> np.ndarray:
    """Smooth in some directions, kinked in others; the same law everywhere."""
    clean = np.sin(3 * features[:, 0]) + np.abs(features[:, 1]) * features[:, 2] + 0.5 * (features[:, 3] > 0.3)
    return clean + noise * draw.standard_normal(len(features))


def zipf_pool(size: int, seed: int, *, kinds: int = 400, noise: float = 0.05) -> Pool:
    """Items around `kinds` centres, centre k as often as 1 / k: the common ones are said a hundred times over."""
    draw = np.random.default_rng(seed)
    centres = np.random.default_rng(7).uniform(-1, 1, (kinds, FEATURES))
    weights = 1 / np.arange(1, kinds + 1) ** 1.2
    chosen = draw.choice(kinds, size, p=weights / weights.sum())
    features = centres[chosen] + 0.02 * draw.standard_normal((size, FEATURES))
    return Pool(features, _labels(features, draw, noise))


def even_test(size: int, seed: int, *, kinds: int = 400, noise: float = 0.05) -> Pool:
    """The same centres, each as often as the others: what every kind is worth."""
    draw = np.random.default_rng(seed)
    centres = np.random.default_rng(7).uniform(-1, 1, (kinds, FEATURES))
    features = centres[draw.integers(0, kinds, size)] + 0.02 * draw.standard_normal((size, FEATURES))
    return Pool(features, _labels(features, draw, noise))


def plain_pool(size: int, seed: int, *, noise: float = 0.05) -> Pool:
    """Nothing is said twice and no item tells of another: the parity of four signs. (A smooth law would not do: there
    the middle is told by its edges, and a part of the pool is as good as all of it.)"""
    draw = np.random.default_rng(seed)
    features = draw.uniform(-1, 1, (size, FEATURES))
    return Pool(features, np.prod(np.sign(features[:, :4]), axis=1) + noise * draw.standard_normal(size))


def outside_pool(size: int, seed: int) -> Pool:
    """Beyond the range of the others."""
    draw = np.random.default_rng(seed)
    features = draw.uniform(1, 1.6, (size, FEATURES)) * draw.choice([-1, 1], (size, FEATURES))
    return Pool(features, _labels(features, draw, 0.05))
