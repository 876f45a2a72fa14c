"""What may be said about a difference between two arms: paired intervals over seeds, and how often nothing looks like one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

LEVEL = 0.95
FEWEST = 3  # seeds: with two, the interval of a difference is twelve standard errors wide to each side


@dataclass(frozen=True, slots=True)
class Difference:
    """`mean` of (arm − control) over `seeds` pairs, with its interval; `sd` is that of the single differences."""

    mean: float
    low: float
    high: float
    sd: float
    seeds: int

    @property
    def significant(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        if self.seeds < 2:
            return f"{self.mean:+.3f} (one seed: no interval)"
        return f"{self.mean:+.3f} ({self.low:+.3f} to {self.high:+.3f})"


def paired(arm: Sequence[float], control: Sequence[float]) -> Difference:
    """Paired t interval at 95 %: the same places are the same seeds. One pair alone has no interval (infinite)."""
    gaps = np.asarray(arm, float) - np.asarray(control, float)
    count = len(gaps)
    if count < 2:
        return Difference(float(gaps.mean()), -math.inf, math.inf, math.nan, count)
    spread = float(gaps.std(ddof=1))
    half = float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * spread / math.sqrt(count)
    return Difference(float(gaps.mean()), float(gaps.mean()) - half, float(gaps.mean()) + half, spread, count)


def unpaired(arm: Sequence[float], control: Sequence[float]) -> Difference:
    """Welch's interval, for runs that share nothing. `sd` is the pooled one."""
    a, b = np.asarray(arm, float), np.asarray(control, float)
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    error = math.sqrt(va + vb)
    freedom = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1)) if error else 1.0
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    mean = float(a.mean() - b.mean())
    return Difference(mean, mean - half, mean + half, math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2), len(a))


def false_positives(
    values: Sequence[float], size: int = 3, rule: Callable[[Sequence[float], Sequence[float]], Difference] = unpaired
) -> tuple[int, int]:
    """(significant, all): every split of runs that differ in nothing into `size` against `size`."""
    places, seen, positive = range(len(values)), 0, 0
    for first in combinations(places, size):
        for second in combinations([place for place in places if place > first[0] and place not in first], size):
            seen += 1
            positive += rule([values[i] for i in first], [values[i] for i in second]).significant
    return positive, seen


def verdict(arm: str, control: str, panel: str, found: Difference, unit: str = "bits per byte") -> str:
    """One sentence about one panel. Lower is better."""
    where = f"on {panel} text"
    if found.seeds < FEWEST:
        return f"{where}: {found.seeds} seed{'s' * (found.seeds > 1)} cannot tell {arm} from {control}; run {FEWEST} or more."
    told = f"{abs(found.mean):.3f} {unit} (95 % interval {found.low:+.3f} to {found.high:+.3f}, {found.seeds} seeds)"
    if found.high < 0:
        return f"{where}: {arm} is better than {control} by {told}."
    if found.low > 0:
        return f"{where}: {arm} is worse than {control} by {told}."
    return (
        f"{where}: no difference between {arm} and {control} is shown; it lies between {found.low:+.3f} and "
        f"{found.high:+.3f} {unit} ({found.seeds} seeds)."
    )
