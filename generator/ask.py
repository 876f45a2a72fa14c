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
from generator.stall import StallWatch

OUTAGE_S, OUTAGE_PAUSE_S = (
    600.0,
    3.0,
)  # how long a dead teacher is waited for (a restart took 45 to 170 s), and how often
PAUSE_S, PAUSE_LIMIT_S = 0.25, 20.0  # first and longest pause before sending again, doubled in between, with jitter
AHEAD = 1024  # requests held besides the window, their replies on the way to the disk: 64 in flight at 1,000 a second
STALL_S = 20.0  # no sending is called stalled sooner: the longest prefill seen on two cores was under 10 s


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
    """Asks one teacher over one window. `stop()` drains: what is in flight is finished and committed."""

    def __init__(
        self, teacher: Teacher, journal: JournalWriter, *,
        window: int, retries: int, stall_s: float = STALL_S, outage_s: float = OUTAGE_S,
    ) -> None:  # fmt: skip
        self._teacher, self._journal, self._retries = teacher, journal, retries
        self._window = asyncio.Semaphore(window)
        self._watch = StallWatch(stall_s)
        self._stop = asyncio.Event()
        self._outage_s = outage_s
        self._last_answer = 0.0
        self._in_flight, self._changed = 0, 0.0
        self.stats = AskStats()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Send nothing more, not even again."""
        self._stop.set()

    async def one(self, request: Request) -> Outcome | None:
        """The durable outcome of a request; None when the asker was stopped before it was first sent.

        A failure whose `retryable` is true is the machinery's: it is journalled so that it can be told, and must not
        be counted as an attempt of the slot. Raises `SetupError` when the endpoint refuses everybody (key, model).
        """
        async with self._window:
            if self.stopped:
                return None
            self._move(+1)
            try:
                outcome = await self._persist(request)
            finally:
                self._move(-1)
        await self._journal.append_durable(outcome.to_record())
        self.stats.count(outcome)
        return outcome

    async def _persist(self, request: Request) -> Outcome:
        """Send until there is an outcome. Failures that count: every one but the repeated ones of an outage.

        A fault after somebody was answered begins anew: a request that was caught by an outage before has its patience
        back, and one that alone breaks its connection again and again still comes to its end.
        """
        tries, counted, patience, since = 0, 0, 0, 0.0
        while True:
            tries += 1
            self.stats.sent += 1
            try:
                return await self._send(request, patience)
            except TeacherError as error:
                patience += error.reason == "stalled"
                anew = self._last_answer >= since
                since = time.monotonic() if anew else since
                outage = error.reason == "connection" and time.monotonic() - since < self._outage_s
                counted += anew or not outage
                spent = counted > (max(1, self._retries) if outage else self._retries)
                failure = Failure(request.key, error.reason, error.detail, error.retryable, tries)
                if not error.retryable or spent or await self._stopped_within(_pause(tries, error, outage)):
                    return failure
                self.stats.retried[error.reason] += 1

    async def _send(self, request: Request, patience: int) -> Reply:
        """One sending, cut short when it takes far longer than its fellows: a hang is a failure of the machinery."""
        sending, answered = None, False
        try:
            async with asyncio.timeout(request.demands.timeout_s) as scope:
                sending = self._watch.begin(scope, patience)
                reply = await self._teacher.complete(request)
                answered, self._last_answer = True, time.monotonic()
                return reply
        except TimeoutError:
            if sending is not None and sending.overdue:
                raise TeacherError("stalled", "no reply, long after its fellows had theirs", retryable=True) from None
            detail = f"no reply in {request.demands.timeout_s:.0f} s"
            raise TeacherError("timeout", detail, retryable=True) from None
        finally:
            if sending is not None:
                self._watch.end(sending, answered=answered)

    async def _stopped_within(self, seconds: float) -> bool:
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
    if error.retry_after_s is not None:
        return error.retry_after_s
    limit = OUTAGE_PAUSE_S if outage else PAUSE_LIMIT_S
    return random.uniform(0.5, 1.0) * min(limit, PAUSE_S * 2 ** min(tries - 1, 20))
