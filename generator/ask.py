"""Keeps the teacher full: a window of requests that refills one by one, with every reply durable before it counts."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from corpus.journal import JournalWriter
from generator.endpoint import Trail
from generator.pool import STALL_S, Pool, Stopped
from generator.reply import Failure, Outcome, Reply, Teacher, TeacherError
from generator.request import Request

OUTAGE_S, OUTAGE_PAUSE_S = (
    600.0,
    3.0,
)  # how long a dead teacher is waited for (a restart took 45 to 170 s), and how often
PAUSE_S, PAUSE_LIMIT_S = 0.25, 20.0  # first and longest pause before sending again, doubled in between, with jitter
AHEAD = 1024  # requests held besides the window, their replies on the way to the disk: 64 in flight at 1,000 a second


@dataclass
class AskStats:
    """Counts of one `ask`. `sent` counts sendings, so `sent - answered` is what the retries cost."""

    sent: int = 0
    answered: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    retried: Counter[str] = field(default_factory=Counter)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    most_in_flight: int = 0
    in_flight_seconds: float = 0.0
    seconds: float = 0.0

    @property
    def mean_in_flight(self) -> float:
        """Over the time in which anything was in flight or waiting for its turn."""
        return self.in_flight_seconds / self.seconds if self.seconds else 0.0

    def count(self, outcome: Outcome) -> None:
        """Add a durable outcome."""
        if isinstance(outcome, Failure):
            self.failed[outcome.reason] += 1
            return
        self.answered += 1
        self.prompt_tokens += outcome.prompt_tokens
        self.completion_tokens += outcome.completion_tokens


class Asker:
    """Asks a pool, or one teacher, over one window. `stop()` drains: what is in flight is finished and committed."""

    def __init__(
        self, teacher: Teacher, journal: JournalWriter, *,
        window: int, retries: int, stall_s: float = STALL_S, outage_s: float = OUTAGE_S,
        overlong: Callable[[Request], str] = lambda request: "",
    ) -> None:  # fmt: skip
        """`overlong` says what is too long about a request, which is then not sent."""
        self._pool = teacher if isinstance(teacher, Pool) else Pool([teacher], most=window, stall_s=stall_s)
        self._journal, self._retries = journal, retries
        self._window = asyncio.Semaphore(window)
        self._stop = asyncio.Event()
        self._outage_s, self.overlong = outage_s, overlong
        self._last_answer = 0.0
        self._in_flight, self._changed = 0, 0.0
        self.stats = AskStats()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    @property
    def hungry(self) -> bool:
        """Whether there is a place in the window that no request waits for."""
        return not self._window.locked()

    def stop(self) -> None:
        """Send nothing more, not even again."""
        self._stop.set()
        self._pool.stop()

    async def one(self, request: Request) -> Outcome | None:
        """The durable outcome of a request; None when the asker was stopped before it was first sent.

        A failure whose `retryable` is true is the machinery's: it is journalled so that it can be told, and must not
        be counted as an attempt of the slot. Raises `SetupError` when the endpoint refuses everybody (key, model).
        """
        async with self._window:
            if self.stopped:
                return None
            if too_long := self.overlong(request):
                outcome: Outcome | None = Failure(request.key, "overlong", too_long, False, 0)
            else:
                self._move(+1)
                try:
                    outcome = await self._persist(request)
                finally:
                    self._move(-1)
        if outcome is None:
            return None
        await self._journal.append_durable(outcome.to_record())
        self.stats.count(outcome)
        return outcome.bare() if isinstance(outcome, Reply) else outcome

    async def _persist(self, request: Request) -> Outcome | None:
        """Send until there is an outcome; None when the asker was stopped before the first sending."""
        tries, patience, trail = 0, _Patience(self._retries, self._outage_s), Trail()
        failure: Failure | None = None
        while True:
            tries += 1
            self.stats.sent += 1
            try:
                reply = await self._pool.complete(request, trail)
                self._last_answer = time.monotonic()
                return reply
            except Stopped:
                self.stats.sent -= 1
                return failure
            except TeacherError as error:
                spent, outage = patience.spent(error, self._last_answer)
                at_once = tries == 1 and self._pool.elsewhere(trail)
                pause = 0.0 if at_once else _pause(tries, error, outage)
                failure = Failure(request.key, error.reason, error.detail, error.retryable, tries)
                if not error.retryable or spent or await self._stopped_within(pause):
                    return failure
                self.stats.retried[error.reason] += 1

    async def _stopped_within(self, seconds: float) -> bool:
        if not seconds:
            return self.stopped
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _move(self, change: int) -> None:
        now = time.monotonic()
        if self._changed:
            self.stats.in_flight_seconds += self._in_flight * (now - self._changed)
            self.stats.seconds += now - self._changed
        self._changed = now
        self._in_flight += change
        self.stats.most_in_flight = max(self.stats.most_in_flight, self._in_flight)


class _Patience:
    """How long one request is sent again. An outage and a quota are matters of time, all else of the number of tries.

    A fault after somebody was answered begins anew: a request that was caught by an outage before has its patience
    back, and one that alone breaks its connection again and again still comes to its end.
    """

    def __init__(self, retries: int, outage_s: float) -> None:
        self._retries, self._outage_s = retries, outage_s
        self._counted, self._since, self._begun = 0, 0.0, time.monotonic()

    def spent(self, error: TeacherError, last_answer: float) -> tuple[bool, bool]:
        """Whether this failure is one too many, and whether it is part of an outage."""
        now = time.monotonic()
        anew = last_answer >= self._since
        self._since = now if anew else self._since
        outage = error.reason == "connection" and now - self._since < self._outage_s
        quota = error.reason == "rate_limited" and now - self._begun < self._outage_s
        self._counted += (anew or not outage) and not quota
        return self._counted > (max(1, self._retries) if outage else self._retries), outage


async def ask(
    requests: Iterable[Request], teacher: Teacher, journal: JournalWriter, *,
    window: int, retries: int, on_outcome: Callable[[Outcome], None] = lambda outcome: None,
) -> AskStats:  # fmt: skip
    """Ask all of `requests`; the window is full as long as there are enough of them. Raises what `Asker.one` raises."""
    asker = Asker(teacher, journal, window=window, retries=retries)
    async for outcome in outcomes_of(requests, asker, ahead=window + AHEAD):
        on_outcome(outcome)
    return asker.stats


async def outcomes_of(requests: Iterable[Request], asker: Asker, *, ahead: int) -> AsyncIterator[Outcome]:
    """Outcomes as they come; at most `ahead` requests are held at once, so memory is flat however many there are.

    `ahead` above the window covers the requests whose reply is on its way to the disk. When the reader goes away or a
    request raises, the rest are cancelled and waited for; nothing runs on behind the caller's back.
    """
    done: asyncio.Queue[asyncio.Task[Outcome | None]] = asyncio.Queue()
    running: set[asyncio.Task[Outcome | None]] = set()
    source = iter(requests)

    def refill() -> None:
        while len(running) < ahead and not asker.stopped and (request := next(source, None)) is not None:
            task = asyncio.create_task(asker.one(request))
            running.add(task)
            task.add_done_callback(done.put_nowait)

    try:
        refill()
        while running:
            task = await done.get()
            running.discard(task)
            refill()
            if (outcome := task.result()) is not None:
                yield outcome
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _pause(tries: int, error: TeacherError, outage: bool) -> float:
    """The pause that the server asked for, else doubling with jitter."""
    if error.retry_after_s:
        return error.retry_after_s
    limit = OUTAGE_PAUSE_S if outage else PAUSE_LIMIT_S
    return random.uniform(0.5, 1.0) * min(limit, PAUSE_S * 2 ** min(tries - 1, 20))
