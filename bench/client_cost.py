"""Processor time of the client alone: each arm in a process of its own, against an endpoint that answers at once."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from bench.arms import BareLoop, requests_of
from corpus.journal import JournalWriter
from corpus.store import open_store
from generator.ask import ask
from generator.request import Request
from generator.teachers.openai_endpoint import OpenAITeacher
from tests.fakes.fake_teacher import FakeTeacher

WINDOW, ROUNDS, WARM_UP = 64, 3, 200


def hornbook(url: str, requests: Sequence[Request]) -> None:
    """One asking loop with its journal on disk: what an actor does."""

    async def go() -> None:
        with tempfile.TemporaryDirectory() as folder:
            journal, teacher = (
                JournalWriter(open_store(folder), "w"),
                OpenAITeacher(url, served_model=FakeTeacher.model),
            )
            stats = await ask(requests, teacher, journal, window=WINDOW, retries=3)
            await teacher.close()
            journal.close()
            assert stats.answered == len(requests)

    asyncio.run(go())


def bare(url: str, requests: Sequence[Request]) -> None:
    """The bare loop at the same window."""
    arm = BareLoop(url, WINDOW)
    assert arm.ask(requests) > 0
    arm.close()


def measure(name: str, url: str, count: int) -> dict[str, float]:
    """CPU seconds and requests a second of one arm in this process, after a warm-up."""
    arm = {"hornbook": hornbook, "bare": bare}[name]
    arm(url, requests_of(range(WARM_UP), 64, FakeTeacher.model))
    requests = requests_of(range(WARM_UP, WARM_UP + count), 64, FakeTeacher.model)
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    arm(url, requests)
    after, seconds = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - begun
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s_per_1000": cpu / count * 1000, "requests_per_s": count / seconds}


def cost_table(count: int) -> dict[str, dict[str, float]]:
    """The best of three interleaved rounds of each arm, printed and returned."""
    best: dict[str, dict[str, float]] = {}
    with FakeTeacher() as fake:
        for name in ["hornbook", "bare"] * ROUNDS:
            command = [sys.executable, "-m", "bench.client_cost", name, fake.url, str(count)]
            found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            if name not in best or found["cpu_s_per_1000"] < best[name]["cpu_s_per_1000"]:
                best[name] = found
    for name, found in best.items():
        print(
            f"{name:9} {found['cpu_s_per_1000']:.2f} CPU s per 1,000 requests, {found['requests_per_s']:,.0f} a second"
        )
    return best


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
