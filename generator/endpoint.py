"""One endpoint of a pool: what it has in flight, how much it is given, and whether it rests.

Its health is judged by replies alone. A server may hang while its health page says 200 (vllm-project/vllm issue 39863),
so an endpoint that has several requests and answers none of them for longer than nearly all replies take is set aside.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from generator.adaptive_window import AdaptiveWindow
from generator.reply import Reply, Teacher, TeacherError
from generator.request import Request

FAULTS = 3  # in a row, before an endpoint rests
SILENT_SENDINGS = 4  # in flight and unanswered: fewer may all be slow ones
BLAMED = ("connection", "server_error", "timeout", "stalled")  # reasons that speak of the endpoint, not of one request
CONGESTED = ("rate_limited", "timeout")


@dataclass(slots=True)
class Trail:
    """What became of a request so far: how often a sending was overdue, and which endpoint failed it last."""

    overdue: int = 0
    failed: Endpoint | None = None


@dataclass(slots=True, eq=False)
class Sending:
    """One request on its way to one endpoint. `reply` is set from outside when a copy of it was answered first."""

    request: Request
    endpoint: Endpoint
    trail: Trail
    is_copy: bool = False
    begun: float = field(default_factory=time.monotonic)
    scope: asyncio.Timeout | None = None
    overdue: bool = False
    copy: asyncio.Task[Reply] | None = None
    reply: Reply | None = None

    def cut(self) -> None:
        """End it now; it raises what it was cut for, or gives its copy's reply."""
        if self.scope is not None and not self.scope.expired():
            self.scope.reschedule(asyncio.get_running_loop().time())


@dataclass(frozen=True, slots=True)
class EndpointState:
    """What a pool tells of one endpoint: counts since the beginning, and how things stand now."""

    name: str
    answered: int
    failed: int
    rests: int
    in_flight: int
    limit: int
    resting: bool


class Endpoint:
    """State of one endpoint; the pool asks it and decides."""

    def __init__(self, teacher: Teacher, name: str, start: int, most: int) -> None:
        self.teacher, self.name = teacher, name
        self.window = AdaptiveWindow(start, most)
        self.sendings: set[Sending] = set()
        self.in_flight = 0  # those promised a place included
        self.rests_until = 0.0  # by the monotonic clock; 0 while it is awake
        self.paused_until = 0.0  # it asked for a pause
        self.answered, self.failed, self.rests = 0, 0, 0
        self._faults = 0
        self._heard = 0.0

    @property
    def resting(self) -> bool:
        """Whether it gets no requests while others can take them."""
        return self.rests_until > 0

    def room(self, now: float) -> bool:
        """Whether it may be given one more request."""
        return not self.resting and self.in_flight < self.window.limit and self.paused_until <= now

    def state(self) -> EndpointState:
        """How it stands."""
        return EndpointState(
            self.name, self.answered, self.failed, self.rests, self.in_flight, self.window.limit, self.resting
        )

    def answers(self, reply: Reply) -> None:
        """A reply came: it works, whatever was before."""
        self.window.answered(reply.completion_tokens, full=self.in_flight >= self.window.limit)
        self.answered += 1
        self._faults, self.rests_until = 0, 0.0
        self._heard = time.monotonic()

    def fails(self, error: TeacherError, begun: float, *, blamed: bool = False) -> bool:
        """A sending of `begun` failed; whether the endpoint is to rest for it (not when it was `blamed` already)."""
        self.failed += 1
        if error.reason in CONGESTED or error.retry_after_s is not None:
            self.window.congested(begun)
        if error.retry_after_s:
            self.paused_until = time.monotonic() + error.retry_after_s
        return error.reason in BLAMED and not blamed and self.blame()

    def blame(self) -> bool:
        """One more fault; whether it is one too many."""
        self._faults += 1
        return self._faults >= FAULTS and not self.resting

    def rest(self, until: float) -> None:
        """Set it aside."""
        self.rests_until = until
        self.rests += 1

    def on_trial(self) -> None:
        """Awake again, with one request at first; one more fault sends it back to rest."""
        self.window.begin_again()
        self._faults, self.rests_until, self._heard = FAULTS - 1, 0.0, time.monotonic()

    def silent_s(self, now: float) -> float:
        """Seconds without a reply while enough requests waited for one; 0 while there is nothing to be said."""
        if len(self.sendings) < min(SILENT_SENDINGS, self.window.limit):
            return 0.0
        youngest_of_enough = sorted(item.begun for item in self.sendings)[min(SILENT_SENDINGS, self.window.limit) - 1]
        return now - max(self._heard, youngest_of_enough)
