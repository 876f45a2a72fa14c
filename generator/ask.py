"""Keeps the teacher full: a window of requests that refills one by one, with every reply durable before it counts."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from corpus.journal import JournalWriter
from generator.reply import Failure, Outcome, Reply, Teacher, TeacherError
from generator.request import Request

PAUSE_S, PAUSE_LIMIT_S = 0.25, 20.0  # first and longest pause before sending again, doubled in between, with jitter
HEDGE_FACTOR, HEDGE_AFTER = 4.0, 32  # a reply slower than 4 × the slowest of the last 32 seen is stalled
STALL_FLOOR_S = 20.0


@dataclass
class AskStats:
    """Counts of one `ask`."""

    sent: int = 0
    answered: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    retried: Counter[str] = field(default_factory=Counter)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    most_in_flight: int = 0


class Asker:
    """Asks one teacher over one window. `stop()` drains: what is in flight is finished and committed, no more is sent."""

    def __init__(self, teacher: Teacher, journal: JournalWriter, *, window: int, retries: int) -> None:
        self._teacher, self._journal, self._retries = teacher, journal, retries
        self._window = asyncio.Semaphore(window)
        self._in_flight = 0
        self._recent: list[float] = []
        self._stopped = False
        self.stats = AskStats()

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped = True

    async def one(self, request: Request) -> Outcome | None:
        """The durable outcome of a request; None when the asker was stopped before sending it."""
        async with self._window:
            if self._stopped:
                return None
            self._in_flight += 1
            self.stats.most_in_flight = max(self.stats.most_in_flight, self._in_flight)
            try:
                outcome = await self._persist(request)
            finally:
                self._in_flight -= 1
        await self._journal.append_durable(outcome.to_record())
        self._count(outcome)
        return outcome

    async def _persist(self, request: Request) -> Outcome:
        for tries in range(1, self._retries + 2):
            self.stats.sent += 1
            try:
                return await self._send(request)
            except TeacherError as error:
                if not error.retryable or tries > self._retries or self._stopped:
                    return Failure(request.key, error.reason, error.detail, error.retryable, tries)
                self.stats.retried[error.reason] += 1
                await asyncio.sleep(_pause(tries, error.retry_after_s))
        raise AssertionError("the loop above always returns")

    async def _send(self, request: Request) -> Reply:
        """One sending, cut short when it takes far longer than its fellows: a hang is a failure of the machinery."""
        limit = min(request.demands.timeout_s, self._stall_limit())
        begun = time.monotonic()
        try:
            reply = await asyncio.wait_for(self._teacher.complete(request), limit)
        except TimeoutError:
            raise TeacherError("stalled", f"no reply in {limit:.0f} s", retryable=True) from None
        self._recent = [*self._recent[-HEDGE_AFTER + 1 :], time.monotonic() - begun]
        return reply

    def _stall_limit(self) -> float:
        if len(self._recent) < HEDGE_AFTER:
            return float("inf")
        return max(STALL_FLOOR_S, HEDGE_FACTOR * max(self._recent))

    def _count(self, outcome: Outcome) -> None:
        if isinstance(outcome, Failure):
            self.stats.failed[outcome.reason] += 1
            return
        self.stats.answered += 1
        self.stats.prompt_tokens += outcome.prompt_tokens
        self.stats.completion_tokens += outcome.completion_tokens


async def ask(
    requests: Iterable[Request], teacher: Teacher, journal: JournalWriter, *,
    window: int, retries: int, on_outcome: Callable[[Outcome], None] = lambda outcome: None,
) -> AskStats:  # fmt: skip
    """Ask all of `requests`; the window is full as long as there are enough of them."""
    asker = Asker(teacher, journal, window=window, retries=retries)
    async for outcome in outcomes_of(requests, asker, ahead=2 * window):
        on_outcome(outcome)
    return asker.stats


async def outcomes_of(requests: Iterable[Request], asker: Asker, *, ahead: int) -> AsyncIterator[Outcome]:
    """Outcomes as they come; at most `ahead` requests are held at once, so memory is flat however many there are."""
    waiting: set[asyncio.Task[Outcome | None]] = set()
    for request in requests:
        waiting.add(asyncio.create_task(asker.one(request)))
        if len(waiting) >= ahead:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if (outcome := task.result()) is not None:
                    yield outcome
    for task in asyncio.as_completed(waiting):
        if (outcome := await task) is not None:
            yield outcome


def _pause(tries: int, asked: float | None) -> float:
    """The pause that the server asked for, else doubling with full jitter."""
    if asked is not None:
        return asked
    return random.uniform(0.5, 1.0) * min(PAUSE_LIMIT_S, PAUSE_S * 2 ** (tries - 1))
