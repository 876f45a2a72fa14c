"""How good a classifier is on sources that it has not seen: one figure is never enough.

`labels` are True for what teaches; `grades`, where a judge gave them, are the points behind the labels. Every figure has
an interval or a control beside it: after training on shuffled labels the same procedure must find nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

BINS = 10  # of the calibration
BANDS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
THROUGH = 0.10  # share of the other kind that may come through where recall is told


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source: how many texts, which kind, their mean score, and the share at or above the threshold."""

    source: str
    teaches: bool
    texts: int
    mean: float
    passed: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures over texts of sources that were not learned from. `threshold` lets a tenth of the other kind through."""

    texts: int
    auc: float
    f1: float  # at the threshold
    recall: float  # of what teaches, at the threshold
    worst: SourceRow | None  # the teaching source with the lowest recall
    threshold: float
    rank: float  # Spearman's, with the grades, or with the labels where there are none
    calibration: float  # expected calibration error, 0 to 1
    bands: tuple[tuple[float, float, int, float], ...]  # from, to, texts, share that teaches
    sources: tuple[SourceRow, ...]
    control: float = float("nan")  # AUC after learning shuffled labels


def evaluate(
    scores: np.ndarray, labels: np.ndarray, sources: Sequence[str], grades: np.ndarray | None = None, *,
    threshold: float | None = None,
) -> Evaluation:  # fmt: skip
    """All figures of scores in [0, 1]. Without a `threshold` the one is taken that lets a tenth of the other kind through."""
    cut = threshold_for(scores[~labels]) if threshold is None else threshold
    said = scores >= cut
    rows = tuple(_row(scores, labels, np.asarray(sources, object), name, cut) for name in dict.fromkeys(sources))
    teaching = [row for row in rows if row.teaches]
    return Evaluation(
        texts=len(scores),
        auc=auc(scores, labels),
        f1=f1(said, labels),
        recall=float(said[labels].mean()) if labels.any() else float("nan"),
        worst=min(teaching, key=lambda row: row.passed, default=None),
        threshold=cut,
        rank=spearman(scores, grades if grades is not None else labels.astype(float)),
        calibration=calibration_error(scores, labels),
        bands=tuple(_band(scores, labels, low, high) for low, high in pairwise(BANDS)),
        sources=rows,
    )


def threshold_for(others: np.ndarray, through: float = THROUGH) -> float:
    """The lowest score at or above which at most the share `through` of these texts lies."""
    if not len(others):
        return 0.5
    ordered = np.sort(others)[::-1]
    allowed = int(through * len(others))
    return float(np.nextafter(ordered[min(allowed, len(ordered) - 1)], np.inf))


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Probability that a positive scores above a negative; ties count half; nan without both kinds."""
    ranks = _ranks(scores)
    many, few = labels.sum(), (~labels).sum()
    return float((ranks[labels].sum() - many * (many + 1) / 2) / (many * few)) if many and few else float("nan")


def f1(said: np.ndarray, labels: np.ndarray) -> float:
    """Harmonic mean of precision and recall."""
    return 2 * int((said & labels).sum()) / max(1, int(said.sum()) + int(labels.sum()))


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Rank correlation, ties by their mean rank; nan where one of them does not vary."""
    first, second = _ranks(one), _ranks(other)
    return float(np.corrcoef(first, second)[0, 1]) if min(first.std(), second.std()) > 0 else float("nan")


def calibration_error(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean distance between what was said and what was so, over ten bins, by their texts."""
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = [abs(scores[place == one].mean() - labels[place == one].mean()) * (place == one).mean()
            for one in np.unique(place)]  # fmt: skip
    return float(sum(gaps))


def _ranks(values: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def _row(scores: np.ndarray, labels: np.ndarray, sources: np.ndarray, name: str, cut: float) -> SourceRow:
    own = sources == name
    return SourceRow(
        name,
        bool(labels[own].mean() >= 0.5),
        int(own.sum()),
        float(scores[own].mean()),
        float((scores[own] >= cut).mean()),
    )


def _band(scores: np.ndarray, labels: np.ndarray, low: float, high: float) -> tuple[float, float, int, float]:
    inside = (scores >= low) & ((scores < high) | ((high == 1.0) & (scores == 1.0)))
    return low, high, int(inside.sum()), float(labels[inside].mean()) if inside.any() else float("nan")
