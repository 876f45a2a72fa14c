"""How fast a teacher writes while it is full, and what its filling and emptying cost, from when replies began and ended."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generator.strata import student_975

FULL = (
    0.8  # of the window in flight: the teacher counts as full; ends are seen late by up to an fsync, so not all of it
)
PARTS = 5  # of the full time, over which the rate's own uncertainty is judged


@dataclass(frozen=True, slots=True)
class Span:
    """One reply: when it was sent, when it was whole, and the tokens that it took."""

    begun: float
    ended: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate` in tokens a second while full, its relative `error` (95 %), and seconds of filling and emptying.

    `share` is the part of the tokens that were written while the teacher was full.
    """

    rate: float
    error: float
    overhead_s: float
    share: float

    def seconds(self, tokens: float) -> float:
        """For a run of so many tokens."""
        return tokens / self.rate + self.overhead_s


def pace_of(spans: Sequence[Span], window: int) -> Pace | None:
    """None when nothing was written in measurable time. A reply's tokens count as written evenly over its span.

    `window`: how many requests are in flight when the teacher is full.
    """
    spans = [item for item in spans if item.ended > item.begun]
    tokens = sum(item.tokens for item in spans)
    if not tokens:
        return None
    begun, ended = min(item.begun for item in spans), max(item.ended for item in spans)
    first, last = _full(spans, window)
    if last <= first:
        first, last = begun, ended
    edges = np.linspace(first, last, PARTS + 1)
    rates = [_written(spans, low, high) / (high - low) for low, high in itertools.pairwise(edges.tolist())]
    rate = statistics.fmean(rates)
    error = student_975(PARTS - 1) * statistics.stdev(rates) / PARTS**0.5 / rate
    overhead = max(0.0, ended - begun - tokens / rate)
    return Pace(rate, error, overhead, _written(spans, first, last) / tokens)


def _full(spans: Sequence[Span], window: int) -> tuple[float, float]:
    """First and last moment at which the window was nearly full, or as full as it ever was."""
    times = np.sort(np.array([item.begun for item in spans]))
    ends = np.sort(np.array([item.ended for item in spans]))
    moments = np.sort(np.concatenate([times, ends]))
    flying = np.searchsorted(times, moments, side="right") - np.searchsorted(ends, moments, side="right")
    full = np.flatnonzero(flying >= FULL * min(window, flying.max()))
    return float(moments[full[0]]), float(moments[min(full[-1] + 1, len(moments) - 1)])


def _written(spans: Sequence[Span], low: float, high: float) -> float:
    """Tokens that fall between two moments."""
    return sum(
        item.tokens * max(0.0, min(high, item.ended) - max(low, item.begun)) / (item.ended - item.begun)
        for item in spans
    )
