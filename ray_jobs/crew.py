"""A crew of asking actors, fed so that the teacher's window never runs dry and never more than it is in flight."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from generator.reply import Outcome
from generator.request import Request
from ray_jobs.asker import AskingActor
from ray_jobs.line import Line
from ray_jobs.passes import OnRay

BATCH = 4  # requests in a call of an actor: 1 costs 1 to 2 CPU seconds more in 1,000 (measured), many feed unevenly
AHEAD = 1.5  # work handed out, as a multiple of the window
POLL_S = 0.5


def ask_all(
    line: Line, requests: Sequence[Request], journal: str, served_name: str, seen: Callable[[list[Outcome]], None]
) -> None:
    """Ask every request; `seen` gets outcomes as they come. Returns early, drained, when the line is stopping."""
    if not requests:
        return
    if isinstance(line.passes, OnRay):
        _on_ray(line, requests, journal, served_name, seen)
    else:
        asyncio.run(_in_process(line, requests, journal, served_name, seen))


def _on_ray(line: Line, requests: Sequence[Request], journal: str, served_name: str, seen: Any) -> None:
    import ray

    teacher, urls = line.recipe.teacher, line.teacher.urls()
    count = min(line.recipe.run.askers, teacher.concurrency)
    actor = ray.remote(AskingActor).options(num_cpus=0, max_restarts=5, max_task_retries=5, max_concurrency=1000)
    windows = [teacher.concurrency // count + (index < teacher.concurrency % count) for index in range(count)]
    crew: list[Any] = [
        actor.remote(teacher, urls[index % len(urls)], served_name, journal, window)
        for index, window in enumerate(windows)
    ]
    limit = max(count, int(AHEAD * teacher.concurrency / BATCH))
    batches, waiting, turn = _batches(requests), {}, itertools.cycle(crew)  # type: ignore[var-annotated]
    draining = False
    while True:
        while not line.stopping.is_set() and len(waiting) < limit and (batch := next(batches, None)):
            waiting[next(turn).ask.remote(batch)] = batch
        if line.stopping.is_set() and not draining:
            draining = True
            ray.get([member.drain.remote() for member in crew])
        if not waiting:
            break
        done, _ = ray.wait(list(waiting), num_returns=1, timeout=POLL_S)
        for reference in done:
            waiting.pop(reference)
            seen(ray.get(reference))
        _keep_alive(line)
    ray.get([member.close.remote() for member in crew])


async def _in_process(line: Line, requests: Sequence[Request], journal: str, served_name: str, seen: Any) -> None:
    teacher = line.recipe.teacher
    member = AskingActor(teacher, line.teacher.urls()[0], served_name, journal, teacher.concurrency)
    waiting = {asyncio.create_task(member.ask(batch)) for batch in _batches(requests)}
    while waiting:
        done, waiting = await asyncio.wait(waiting, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            seen(task.result())
        if line.stopping.is_set():
            await member.drain()
    await member.close()


def _keep_alive(line: Line) -> None:
    watch = getattr(line.teacher, "keep_alive", None)
    if watch:
        watch()


def _batches(requests: Sequence[Request]) -> Iterator[list[Request]]:
    for start in range(0, len(requests), BATCH):
        yield list(requests[start : start + BATCH])
