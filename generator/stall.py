"""Tells a slow reply from one that will never come.

A server may hang while its health page says 200, so what counts is whether replies come. A sending is overdue at twice
the 99th percentile of its fellows, and never before `floor_s`. A request that was cut off for it gets twice the time
when it is sent again: otherwise a machine that turns slow would have every request cut off, for ever.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

KEPT, ENOUGH = 256, 16  # durations remembered; durations needed before anything is called overdue
FACTOR, QUANTILE = 2.0, 0.99


@dataclass(slots=True, eq=False)
class Sending:
    """One sending in flight: its time limit, when it began (loop time), and how often it was overdue before."""

    scope: asyncio.Timeout
    begun: float
    patience: int
    overdue: bool = False


class StallWatch:
    """Cuts off sendings that are overdue. Its task lives while something is in flight and costs one look a `tick`."""

    def __init__(self, floor_s: float) -> None:
        self._floor = floor_s
        self._tick = min(1.0, max(0.02, floor_s / 8))
        self._durations: deque[float] = deque(maxlen=KEPT)
        self._sendings: set[Sending] = set()
        self._task: asyncio.Task[None] | None = None

    def limit(self) -> float:
        """Seconds after which a first sending is overdue; infinite while too little is known."""
        if len(self._durations) < ENOUGH:
            return float("inf")
        ranked = sorted(self._durations)
        return max(self._floor, FACTOR * ranked[int(QUANTILE * (len(ranked) - 1))])

    def begin(self, scope: asyncio.Timeout, patience: int) -> Sending:
        """Watch a sending; `patience` is the number of times that its request was overdue before."""
        sending = Sending(scope, asyncio.get_running_loop().time(), patience)
        self._sendings.add(sending)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        return sending

    def end(self, sending: Sending, *, answered: bool) -> float:
        """Stop watching; the seconds it took, remembered when it was answered."""
        self._sendings.discard(sending)
        seconds = asyncio.get_running_loop().time() - sending.begun
        if answered:
            self._durations.append(seconds)
        return seconds

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while self._sendings:
            limit, now = self.limit(), loop.time()
            for sending in self._sendings:
                if not sending.overdue and now - sending.begun > limit * 2**sending.patience:
                    sending.overdue = True
                    sending.scope.reschedule(now)
            await asyncio.sleep(self._tick)
