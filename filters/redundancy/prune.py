"""What can go: items that a model predicts well without having seen them, found round by round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from corpus.ids import seed_from
from filters.redundancy.families import Family

SPLIT = 0.2  # of what remains is held out in a round
LEAST = 0.01  # of the pool that a round removes at least
THRESHOLD = 0.5  # of the test's mean absolute error, below which an item is well predicted


@dataclass(frozen=True, slots=True)
class Pool:
    """Items by what is known of them: `features` float [n, d] and the `labels` float [n] that a model predicts."""

    features: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Pool:
        """Some of the items."""
        return Pool(self.features[rows], self.labels[rows])


def prune_rounds(pool: Pool, test: Pool, guide: Family, *, until: int = 300, seed: int = 0) -> Iterator[np.ndarray]:
    """Row numbers that are left, first all of them, then after each round; the last is the smallest of `until` or more.

    In each round the guide learns four fifths of what is left and predicts the rest; what it predicts with an error
    below half of its mean error on `test` goes, and at least one in a hundred of the pool, the best predicted first.
    """
    left = np.arange(len(pool))
    yield left
    model = guide(seed)
    model.fit(pool.features, pool.labels)
    threshold = THRESHOLD * float(np.mean(np.abs(model.predict(test.features) - test.labels)))
    least = max(1, int(LEAST * len(pool)))
    round_ = 0
    while True:
        draw = np.random.default_rng(seed_from("prune", seed, round_))
        mixed = draw.permutation(left)
        held, learn = np.split(mixed, [max(1, int(SPLIT * len(mixed)))])
        model = guide(seed + round_)
        model.fit(pool.features[learn], pool.labels[learn])
        errors = np.abs(model.predict(pool.features[held]) - pool.labels[held])
        order = np.argsort(errors, kind="stable")
        count = max(least, int((errors < threshold).sum()))
        left = np.sort(np.concatenate([learn, held[order[count:]]]))
        if len(left) < until:
            return
        yield left
        round_ += 1


def random_rows(size: int, kept: int, seed: int) -> np.ndarray:
    """`kept` of `size` row numbers: the baseline of every choice."""
    return np.sort(np.random.default_rng(seed_from("random", seed, size)).permutation(size)[:kept])
