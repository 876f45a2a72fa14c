"""The learning curve of a choice beside the random one: in distribution, on what was left out, and out of distribution.

A saving counts only where the chosen part is as good as the whole and a random part of the same size is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from filters.redundancy.families import Family, rmse
from filters.redundancy.prune import Pool, prune_rounds, random_rows

TOLERANCE = 1.10  # times the error with everything, up to which a part is as good as the whole
DRAWS = 3  # random parts of a size
FITS = 3  # of a family on one part: the mean of their errors is what is compared, also for the whole
FLOOR = 0.02  # of the pool, below which no knee is looked for
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
    """The curve at the given shares of the pool, the whole first, and at the sizes by which its knee is searched; and what
    follows from it."""
    smallest = max(50, int(FLOOR * len(pool)))
    rounds = list(prune_rounds(pool, setting.test, setting.guide, until=smallest, seed=setting.seed))
    points = {
        place: _point(pool, rounds[place], setting)
        for place in (_nearest(rounds, share * len(pool)) for share in (1.0, *shares))
    }
    spread = float(np.std(setting.test.labels))
    _search(points, len(rounds), spread, lambda place: _point(pool, rounds[place], setting))
    return verdict([points[place] for place in sorted(points)], spread)


def _search(points: dict[int, Point], rounds: int, spread: float, at: Callable[[int], Point]) -> None:
    """Halve the rounds between the smallest part that is as good as the whole and the next smaller one that is not, until
    they are neighbours: between the shares that were asked for lie more points than an answer may be off."""
    whole = points[0]
    good = max((place for place, point in points.items() if _as_good(point, whole, spread)), default=rounds)
    bad = min((place for place in points if place > good), default=rounds)
    while bad - good > 1:
        middle = (good + bad) // 2
        points[middle] = at(middle)
        good, bad = (middle, bad) if _as_good(points[middle], whole, spread) else (good, middle)


def verdict(points: Sequence[Point], spread: float = math.inf) -> Verdict:
    """The smallest part that is within the tolerance, by the mean of both families, while a random part of its size is not:
    the whole interval of its draws is above the tolerance. `spread` is the labels' own, for a number that no model predicts."""
    whole, parts = points[0], points[1:]
    if whole.guide > LEARNED * spread:
        said = f"nothing can be said: with everything the error is {whole.guide / spread:.2f} times the spread of the number"
        return Verdict(tuple(points), None, 0.0, said)
    good = [point for point in parts if _as_good(point, whole, spread) and point.random_low > TOLERANCE * whole.random]
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


def _as_good(point: Point, whole: Point, spread: float) -> bool:
    """By the family that chose, and by the (geometric) mean of both: a part suits the one that chose it and suits the other
    less, while how much of the pool says nothing new is the same for both. And something is still learned from the part."""
    guide, transfer = point.guide / whole.guide, point.transfer / whole.transfer
    return guide <= TOLERANCE and guide * transfer <= TOLERANCE**2 and point.guide <= LEARNED * spread


def _nearest(rounds: Sequence[np.ndarray], size: float) -> int:
    return min(range(len(rounds)), key=lambda place: abs(len(rounds[place]) - size))


def _point(pool: Pool, rows: np.ndarray, setting: Setting) -> Point:
    part, rest = pool.take(rows), pool.take(np.setdiff1d(np.arange(len(pool)), rows))
    guide = _errors(part, setting.guide, (setting.test, rest, setting.outside), setting.seed)
    transfer = _errors(part, setting.transfer, (setting.test,), setting.seed)
    whole = len(rows) == len(pool)
    draws = [pool.take(random_rows(len(pool), len(rows), setting.seed + draw)) for draw in range(0 if whole else DRAWS)]
    by_guide, by_transfer = (
        [rmse(_learned(draw, family, setting.seed), setting.test.features, setting.test.labels) for draw in draws]
        or [own[0]]
        for family, own in ((setting.guide, guide), (setting.transfer, transfer))
    )
    mean = float(np.mean(by_guide))
    half = 0.0 if whole else STUDENT * float(np.std(by_guide, ddof=1)) / math.sqrt(DRAWS)
    return Point(
        len(rows), len(rows) / len(pool), guide[0], transfer[0], guide[1], guide[2],
        mean, float(np.mean(by_transfer)), mean - half, mean + half,
    )  # fmt: skip


def _errors(part: Pool, family: Family, on: Sequence[Pool], seed: int) -> list[float]:
    """Error on each pool, the mean of several fits: one forest's luck is as large as a step of the curve."""
    models = [_learned(part, family, seed + fit) for fit in range(FITS)]
    return [float(np.mean([rmse(model, pool.features, pool.labels) for model in models])) for pool in on]


def _learned(part: Pool, family: Family, seed: int):  # type: ignore[no-untyped-def]
    model = family(seed)
    model.fit(part.features, part.labels)
    return model
