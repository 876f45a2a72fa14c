"""A crew of asking actors, fed so that the teacher's window never runs dry and never more than it is in flight."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any, Protocol
from urllib.parse import urlsplit

from corpus.errors import IncompleteError, SetupError
from corpus.tokens import TokenCounter
from generator.reply import Outcome
from generator.request import Request
from generator.teacher_config import TeacherConfig
from generator.teachers.direct import LOOPBACK
from ray_jobs.asker import Answered, AskingActor
from ray_jobs.cluster import askers_of
from ray_jobs.line import Line
from ray_jobs.passes import OnRay

BATCH = 4  # requests in a call of an actor: 1 costs 1 to 2 CPU seconds more in 1,000 (measured), many feed unevenly
AHEAD, MOST_AHEAD = 1.5, 4.0  # work handed out, as a multiple of the window: at first, and where lengths vary tenfold
DURABLE_S = (
    0.1  # a reply counts when it is on the disk, which takes up to this long: a fast teacher needs a longer lead
)
SLOW = 50.0  # replies a second; below it the price of a call of an actor is nothing
POLL_S = 0.5


class Source(Protocol):
    """Where the requests come from."""

    def take(self, limit: int) -> Sequence[Request]:
        """Requests to send now; none means none until more outcomes have been seen."""
        ...


Seen = Callable[[Sequence[Outcome]], None]


class Crew(Protocol):
    """Asks a teacher. `ask` returns when the source is empty and everything is answered, or drained after `stopping`."""

    def ask(self, source: Source, seen: Seen, stopping: Event, watch: Callable[[], None] = lambda: None) -> None:
        """`seen` gets outcomes as they come, each durable; `watch` is called every half second."""
        ...

    def close(self) -> None:
        """Seal journals and give connections back."""
        ...


@contextmanager
def crew_for(line: Line, journal: str, served_name: str, batch: int = BATCH) -> Iterator[Crew]:
    """The crew of a run: actors on its Ray, or this process, beside which Ray rests. Outcomes of a batch come together."""
    teacher, urls, askers = line.recipe.teacher, line.teacher.urls(), askers_of(line.recipe.run)
    crew: Crew
    if teacher.backend == "batch":
        from ray_jobs.batch_crew import BatchCrew  # the `openai` client takes a second to import

        crew = BatchCrew(teacher, urls[0], served_name, journal)
    elif isinstance(line.passes, OnRay) and askers:
        crew = RayCrew(teacher, urls, served_name, journal, askers, _counter(line), batch)
    else:
        if isinstance(line.passes, OnRay):
            line.passes.rest()
        crew = LocalCrew(teacher, urls, served_name, journal, _counter(line), batch)
    try:
        yield crew
    finally:
        crew.close()


class RayCrew:
    """Actors over one window. Ray restarts one that dies; what it had in flight is asked again."""

    def __init__(
        self, teacher: TeacherConfig, urls: Sequence[str], served_name: str, journal: str, askers: int,
        counter: TokenCounter | None = None, batch: int = BATCH,
    ) -> None:  # fmt: skip
        import ray

        self._ray = ray
        count = min(askers, teacher.concurrency)
        actor = ray.remote(AskingActor).options(
            num_cpus=0, max_restarts=5, max_task_retries=5, max_concurrency=1000, **_place(ray, urls)
        )
        windows = [teacher.concurrency // count + (index < teacher.concurrency % count) for index in range(count)]
        self._members: list[Any] = [actor.remote(teacher, urls, served_name, journal, window) for window in windows]
        if counter:
            tokenizer = ray.put(counter)
            for member in self._members:  # comes before what it is asked; one that is dead says so when it is asked
                member.measure_with.remote(tokenizer)
        self._batch, self._lead = batch, Lead(teacher.concurrency, count, batch)

    def ask(self, source: Source, seen: Seen, stopping: Event, watch: Callable[[], None] = lambda: None) -> None:
        """See `Crew`."""
        turn, draining = itertools.cycle(self._members), False
        waiting: dict[Any, int] = {}
        while True:
            while not stopping.is_set() and (batch := _next(source, self._lead, waiting)):
                waiting[next(turn).ask.remote(batch)] = len(batch)
            if stopping.is_set() and not draining:
                draining = True
                self._ray.get([member.drain.remote() for member in self._members])
            if not waiting:
                return
            done, _ = self._ray.wait(list(waiting), num_returns=1, timeout=POLL_S)
            for reference in done:
                del waiting[reference]
                self._lead.seen(answered := self._answered(reference))
                seen(answered.outcomes)
            if not stopping.is_set():  # who stops a job may have stopped its teacher too
                watch()

    def _answered(self, reference: Any) -> Answered:
        try:
            answered: Answered = self._ray.get(reference)
            return answered
        except self._ray.exceptions.RayActorError as error:
            raise IncompleteError(
                f"an asking actor died more often than it is started again: {error}",
                hint="run the same command again: it asks only what has no reply yet",
            ) from None

    def close(self) -> None:
        """See `Crew`."""
        for closing in [member.close.remote() for member in self._members]:
            with suppress(self._ray.exceptions.RayActorError):  # a dead one has nothing to give back
                self._ray.get(closing)


def _place(ray: Any, urls: Sequence[str]) -> dict[str, Any]:
    """Who asks a teacher on loopback must sit on its machine, which is the driver's; any other can be asked from anywhere."""
    if not any(urlsplit(url).hostname in LOOPBACK for url in urls):
        return {}
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    node = ray.get_runtime_context().get_node_id()
    return {"scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False)}


class LocalCrew:
    """The same in this process."""

    def __init__(
        self, teacher: TeacherConfig, urls: Sequence[str], served_name: str, journal: str,
        counter: TokenCounter | None = None, batch: int = BATCH,
    ) -> None:  # fmt: skip
        self._runner = asyncio.Runner()
        self._member = self._runner.run(_made(teacher, urls, served_name, journal, counter))
        self._batch, self._lead = batch, Lead(teacher.concurrency, 1, batch)

    def ask(self, source: Source, seen: Seen, stopping: Event, watch: Callable[[], None] = lambda: None) -> None:
        """See `Crew`."""
        self._runner.run(self._ask(source, seen, stopping, watch))

    def close(self) -> None:
        """See `Crew`."""
        self._runner.run(self._member.close())
        self._runner.close()

    async def _ask(self, source: Source, seen: Seen, stopping: Event, watch: Callable[[], None]) -> None:
        waiting: dict[asyncio.Task[Answered], int] = {}
        while True:
            while not stopping.is_set() and (batch := _next(source, self._lead, waiting)):
                waiting[asyncio.create_task(self._member.ask(batch))] = len(batch)
            if stopping.is_set():
                await self._member.drain()
            if not waiting:
                return
            done, _ = await asyncio.wait(waiting, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                del waiting[task]
                self._lead.seen(answered := task.result())
                seen(answered.outcomes)
            if not stopping.is_set():  # who stops a job may have stopped its teacher too
                watch()


async def _made(
    teacher: TeacherConfig, urls: Sequence[str], served_name: str, journal: str, counter: TokenCounter | None
) -> AskingActor:
    """Created inside the loop that it will use."""
    member = AskingActor(teacher, urls, served_name, journal, teacher.concurrency)
    if counter:
        await member.measure_with(counter)
    return member


def _next(source: Source, lead: Lead, waiting: Mapping[Any, int]) -> Sequence[Request]:
    """The batch to hand out now; empty when enough is out, or when there is none."""
    size = lead.next(sum(waiting.values()))
    return source.take(size) if size else ()


class Lead:
    """How many requests are handed out: enough for the window, and for what is on its way to the disk at this speed.

    Single ones while replies are slow: whoever waits for the first text waits for no other. Of a fast teacher they go
    in batches, and a batch is back when its slowest reply is. Where lengths vary, many places of the window fall to
    batches that are nearly done, and the window runs dry; then more is handed out, a batch at a time, until it does not.
    """

    def __init__(self, concurrency: int, least: int, batch: int) -> None:
        self._window, self._most = AHEAD * concurrency, MOST_AHEAD * concurrency
        self._least, self._batch = least, batch
        self._rate, self._count, self._since = 0.0, 0, time.monotonic()

    @property
    def limit(self) -> int:
        """Requests that may be out now."""
        return max(self._least * self._batch, int(self._window + DURABLE_S * self._rate))

    def next(self, out: int) -> int:
        """Size of the next batch when `out` requests are handed out; 0 when that is enough."""
        size = self._batch if self._rate > SLOW else 1
        return size if out + size <= self.limit else 0

    def seen(self, answered: Answered) -> None:
        """A batch is back; the rate is that of the last half second."""
        if answered.hungry:
            self._window = min(self._most, self._window + self._batch)
        self._count += len(answered.outcomes)
        if (passed := time.monotonic() - self._since) > POLL_S:
            self._rate, self._count, self._since = self._count / passed, 0, time.monotonic()


def _counter(line: Line) -> TokenCounter | None:
    """The recipe's tokenizer, where there is one."""
    try:
        return line.teacher.counter()
    except SetupError:
        return None
