"""What to add first: items on which a committee of two families disagrees, or of which a forest is unsure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from corpus.ids import seed_from
from filters.redundancy.families import Family, forest
from filters.redundancy.prune import Pool

Doubt = Literal["committee", "forest", "random"]
INTERVAL = (5, 95)  # percentiles of the trees' answers


def grow_rounds(
    pool: Pool, doubt: Doubt, committee: tuple[Family, Family], *, until: float = 0.5, step: float = 0.05, seed: int = 0
) -> Iterator[np.ndarray]:
    """Row numbers that are taken so far: first a random step, then in each round the step that is doubted most."""
    size = max(1, int(step * len(pool)))
    order = np.random.default_rng(seed_from("grow", seed)).permutation(len(pool))
    taken, rest = order[:size], order[size:]
    yield np.sort(taken)
    while len(taken) < int(until * len(pool)) and len(rest):
        worth = doubts(pool.take(taken), pool.features[rest], doubt, committee, seed + len(taken))
        first = np.argsort(-worth, kind="stable")[:size]
        taken = np.concatenate([taken, rest[first]])
        rest = np.delete(rest, first)
        yield np.sort(taken)


def doubts(known: Pool, features: np.ndarray, doubt: Doubt, committee: tuple[Family, Family], seed: int) -> np.ndarray:
    """How much there is to learn from each item, float [n]: the difference between the two families' predictions
    (query by committee), the width of the middle nine tenths of a forest's trees, or a draw."""
    if doubt == "random":
        return np.random.default_rng(seed_from("doubt", seed)).random(len(features))
    if doubt == "forest":
        model = forest(seed)
        model.fit(known.features, known.labels)
        trees = np.stack([tree.predict(features) for tree in model.estimators_])  # type: ignore[attr-defined]
        low, high = np.percentile(trees, INTERVAL, axis=0)
        return high - low
    answers = []
    for family in committee:
        model = family(seed)
        model.fit(known.features, known.labels)
        answers.append(model.predict(features))
    return np.abs(answers[0] - answers[1])
