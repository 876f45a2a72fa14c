"""The learning curve of a choice beside the random one: in distribution, on what was left out, and out of distribution.

A saving counts only where the chosen part is as good as the whole and a random part of the same size is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from filters.redundancy.families import Family, rmse
from filters.redundancy.prune import Pool, prune_rounds, random_rows

TOLERANCE = 1.10  # times the error with everything, up to which a part is as good as the whole
DRAWS = 3  # random parts of a size
STUDENT = 4.303  # 95 %, two degrees of freedom
LEARNED = 0.9  # of the labels' spread, above which an error says that nothing was learned


@dataclass(frozen=True, slots=True)
class Point:
    """Errors after learning a part: by the family that chose (`guide`) and by the one that did not (`transfer`).

    `unused` is the error on what was left out of the pool: at or below `guide` it shows directly that it was redundant.
    """

    kept: int
    share: float
    guide: float
    transfer: float
    unused: float
    outside: float
    random: float
    random_transfer: float
    random_low: float
    random_high: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the curve says. `redundant` is the largest share that can go, 0 where the choice is no better than a draw."""

    points: tuple[Point, ...]
    knee: Point | None
    redundant: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Setting:
    """Who chooses, who judges, and on what."""

    guide: Family
    transfer: Family
    test: Pool
    outside: Pool
    seed: int = 0


def measure(pool: Pool, setting: Setting, shares: Sequence[float]) -> Verdict:
    """The curve at the given shares of the pool, the whole first, and what follows from it."""
    smallest = max(50, int(0.95 * min(shares) * len(pool)))
    rounds = list(prune_rounds(pool, setting.test, setting.guide, until=smallest, seed=setting.seed))
    points = tuple(_point(pool, _nearest(rounds, share * len(pool)), setting) for share in (1.0, *shares))
    return verdict(points, float(np.std(setting.test.labels)))


def verdict(points: Sequence[Point], spread: float = math.inf) -> Verdict:
    """The smallest part that is within the tolerance, by both families, while a random part of its size is not: the whole
    interval of its draws is above the tolerance. `spread` is the labels' own, for a number that no model predicts."""
    whole, parts = points[0], points[1:]
    if whole.guide > LEARNED * spread:
        said = f"nothing can be said: with everything the error is {whole.guide / spread:.2f} times the spread of the number"
        return Verdict(tuple(points), None, 0.0, said)
    good = [point for point in parts if _as_good(point, whole) and point.random_low > TOLERANCE * whole.random]
    if not good:
        said = "by this measure the corpus is not redundant: at no size is a chosen part as good as the whole and a random one not"
        return Verdict(tuple(points), None, 0.0, said)
    knee = min(good, key=lambda point: point.kept)
    said = (
        f"{1 - knee.share:.0%} can go: with {knee.share:.0%} kept the error is {knee.guide / whole.guide:.2f} times that with "
        f"everything ({knee.transfer / whole.transfer:.2f} for the family that did not choose), a random part of that size "
        f"{knee.random / whole.random:.2f} times"
    )
    return Verdict(tuple(points), knee, 1 - knee.share, said)


def _as_good(point: Point, whole: Point) -> bool:
    return point.guide <= TOLERANCE * whole.guide and point.transfer <= TOLERANCE * whole.transfer


def _nearest(rounds: Sequence[np.ndarray], size: float) -> np.ndarray:
    return min(rounds, key=lambda rows: abs(len(rows) - size))


def _point(pool: Pool, rows: np.ndarray, setting: Setting) -> Point:
    part, rest = pool.take(rows), pool.take(np.setdiff1d(np.arange(len(pool)), rows))
    guide, transfer = (_learned(part, family, setting.seed) for family in (setting.guide, setting.transfer))
    whole = len(rows) == len(pool)
    seeds = range(1 if whole else DRAWS)
    draws = [pool.take(random_rows(len(pool), len(rows), setting.seed + draw)) for draw in seeds]
    errors = [[rmse(_learned(draw, family, setting.seed), setting.test.features, setting.test.labels) for draw in draws]
              for family in (setting.guide, setting.transfer)]  # fmt: skip
    mean = float(np.mean(errors[0]))
    half = 0.0 if whole else STUDENT * float(np.std(errors[0], ddof=1)) / math.sqrt(DRAWS)
    return Point(
        len(rows), len(rows) / len(pool),
        rmse(guide, setting.test.features, setting.test.labels), rmse(transfer, setting.test.features, setting.test.labels),
        rmse(guide, rest.features, rest.labels), rmse(guide, setting.outside.features, setting.outside.labels),
        mean, float(np.mean(errors[1])), mean - half, mean + half,
    )  # fmt: skip


def _learned(part: Pool, family: Family, seed: int):  # type: ignore[no-untyped-def]
    model = family(seed)
    model.fit(part.features, part.labels)
    return model
