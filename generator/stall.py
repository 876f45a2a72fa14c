"""Tells a slow reply from one that will never come.

A server may hang while its health page says 200, so what counts is whether replies come. A sending is overdue at twice
the 99th percentile of its fellows, and never before `floor_s`. A request that was cut off for it gets twice the time
when it is sent again: otherwise a machine that turns slow would have every request cut off, for ever.
"""

from __future__ import annotations

from collections import deque

KEPT, ENOUGH = 256, 16  # durations remembered; durations needed before anything is called overdue
FACTOR, QUANTILE = 2.0, 0.99
SILENCE, SILENCE_S = 1.25, 2.0  # of the same percentile, and at least: an endpoint without a single reply hangs


class Durations:
    """How long replies take, of the last `KEPT`."""

    def __init__(self, floor_s: float) -> None:
        self.floor_s = floor_s
        self._seconds: deque[float] = deque(maxlen=KEPT)

    def add(self, seconds: float) -> None:
        """A reply took this long."""
        self._seconds.append(seconds)

    def limit(self) -> float:
        """Seconds after which a first sending is overdue; infinite while too little is known."""
        return max(self.floor_s, FACTOR * self._slow())

    def silence(self) -> float:
        """Seconds in which a working endpoint with several requests answers at least one of them."""
        return max(min(SILENCE_S, self.floor_s), SILENCE * self._slow())

    def _slow(self) -> float:
        if len(self._seconds) < ENOUGH:
            return float("inf")
        ranked = sorted(self._seconds)
        return ranked[int(QUANTILE * (len(ranked) - 1))]
