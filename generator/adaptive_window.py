"""How many requests an endpoint is given at once: additive increase, multiplicative decrease.

As in TCP (Chiu and Jain 1989; RFC 5681): doubled each round up to a threshold, then a step a round while goodput grows,
and halved by a sign of overload. A round is as many replies as the window is wide; goodput is in tokens a second.
"""

from __future__ import annotations

import time

FADES = 0.95  # of the best goodput, each round: what was possible an hour ago need not be now
STEPS = 16  # rounds from nothing to the whole in the additive part


class AdaptiveWindow:
    """The window of one endpoint, between 1 and `most`."""

    def __init__(self, start: int, most: int) -> None:
        self._most = most
        self._width = float(min(max(1, start), most))
        self._threshold = float(most)
        self._best, self._cut_at = 0.0, float("-inf")
        self._begin_round()

    @property
    def limit(self) -> int:
        """Requests that may be in flight."""
        return int(self._width)

    def answered(self, tokens: int, *, full: bool) -> None:
        """A reply came. `full`: the endpoint had as many requests as it may have, so that more might help."""
        self._replies += 1
        self._tokens += tokens + 1  # a server that counts no tokens still makes progress
        self._full |= full
        if self._replies >= self._width:
            self._grow()
            self._begin_round()

    def congested(self, sent_at: float) -> None:
        """Too much: halve, once for all requests of a round (`sent_at`, monotonic, tells those sent since)."""
        if sent_at < self._cut_at:
            return
        self._width = self._threshold = max(1.0, self._width / 2)
        self._cut_at, self._best = time.monotonic(), 0.0
        self._begin_round()

    def begin_again(self) -> None:
        """One request at first, as for an endpoint that was away; doubled up to half of what it had."""
        self._threshold, self._width = max(1.0, self._width / 2), 1.0
        self._best = 0.0
        self._begin_round()

    def _grow(self) -> None:
        goodput = self._tokens / max(1e-6, time.monotonic() - self._since)
        better = goodput >= self._best
        self._best = max(goodput, self._best * FADES)
        if not self._full:
            return
        if self._width < self._threshold:
            self._width = min(self._threshold, self._width * 2)
        elif better:
            self._width = min(float(self._most), self._width + max(1.0, self._most / STEPS))

    def _begin_round(self) -> None:
        self._replies, self._tokens, self._full = 0, 0, False
        self._since = time.monotonic()
