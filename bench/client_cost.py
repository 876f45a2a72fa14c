"""Processor time and speed of the client alone: each arm in a process of its own, on one core, against an endpoint that
answers at once on the other core.

`python -m bench.client_cost` runs the arms in interleaved rounds and prints them as ratios of the bare `openai` client;
then how full the window stays at replies of half a second whose lengths vary tenfold, what a whole job costs, and whether
memory grows over 100,000 requests. Results: stdout, and `bench/out/client_cost.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.arms import BareLoop, PlainLoop, requests_of
from bench.instant_server import MODEL
from corpus.journal import JournalWriter
from corpus.store import open_store
from generator.ask import AskStats, ask
from generator.request import Request
from generator.teachers.openai_endpoint import OpenAITeacher

WINDOW, WARM_UP = 64, 200
OUT = Path(__file__).parent / "out" / "client_cost.json"
ARMS = ("hornbook", "openai", "aiohttp")


def hornbook(url: str, requests: Sequence[Request], window: int = WINDOW) -> AskStats:
    """One asking loop with its pool, and its journal on disk: what an actor does."""

    async def go() -> AskStats:
        with tempfile.TemporaryDirectory() as folder:
            journal, teacher = JournalWriter(open_store(folder), "w"), OpenAITeacher(url, served_model=MODEL)
            stats = await ask(requests, teacher, journal, window=window, retries=3)
            await teacher.close()
            journal.close()
        return stats

    return asyncio.run(go())


def bare(url: str, requests: Sequence[Request]) -> None:
    """The `openai` client on its aiohttp transport."""
    arm = BareLoop(url, WINDOW, aiohttp=True)
    assert arm.ask(requests) > 0
    arm.close()


def plain(url: str, requests: Sequence[Request]) -> None:
    """aiohttp and orjson alone: what no client can be below."""
    arm = PlainLoop(url, WINDOW)
    assert arm.ask(requests) > 0
    arm.close()


def measure(name: str, url: str, count: int) -> dict[str, float]:
    """CPU seconds and requests a second of one arm in this process, after a warm-up."""
    arms: dict[str, Callable[[str, Sequence[Request]], object]] = {
        "hornbook": hornbook,
        "openai": bare,
        "aiohttp": plain,
    }
    arms[name](url, requests_of(range(WARM_UP), 64, MODEL))
    requests = requests_of(range(WARM_UP, WARM_UP + count), 64, MODEL)
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    arms[name](url, requests)
    after, seconds = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - begun
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s_per_1000": cpu / count * 1000, "requests_per_s": count / seconds}


def growth(url: str, count: int, steps: int = 10) -> list[float]:
    """Resident MiB of one asking process, after each tenth of `count` requests; requests are made as they are needed."""
    found: list[float] = []

    def watched() -> Iterator[Request]:
        for number in range(count):
            if number % (count // steps) == 0 and number:
                found.append(_resident_mib())
            yield from requests_of((number,), 64, MODEL)

    hornbook(url, watched())  # type: ignore[arg-type]
    return [*found, _resident_mib()]


def _resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def instant(delay_s: float = 0.0, spread: float = 1.0) -> Iterator[str]:
    """An instant server on the last core; its base URL."""
    command = [sys.executable, "-m", "bench.instant_server", "--delay", str(delay_s), "--spread", str(spread)]
    command += ["--core", str((os.cpu_count() or 1) - 1)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        assert server.stdin is not None
        server.stdin.close()


def in_process_of_its_own(*words: object) -> dict:
    """What `python -m bench.client_cost WORDS…` prints, run on core 0 alone."""
    command = [sys.executable, "-m", "bench.client_cost", *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, preexec_fn=lambda: os.sched_setaffinity(0, {0})
    )
    return json.loads(done.stdout)


def cost_table(count: int, rounds: int = 3) -> dict[str, dict[str, float]]:
    """The median of interleaved rounds of each arm, printed and returned."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ARMS}
    with instant() as url:
        for turn in range(rounds):
            for name in ARMS if turn % 2 == 0 else reversed(ARMS):
                found[name].append(in_process_of_its_own("--arm", name, "--url", url, "--count", count))
    table = {
        name: {key: statistics.median(item[key] for item in runs) for key in runs[0]} for name, runs in found.items()
    }
    base = table["openai"]["requests_per_s"]
    for name, row in table.items():
        rate, cpu = row["requests_per_s"], row["cpu_s_per_1000"]
        print(f"{name:9} {rate:7,.0f} requests/s = {rate / base:5.2f} x openai, {cpu:.2f} CPU s per 1,000", flush=True)
    return table


def fullness(window: int, count: int, delay_s: float) -> dict[str, float]:
    """How full the server saw the window, with replies of `delay_s` on average whose lengths vary tenfold."""
    with instant(delay_s, 10.0) as url:
        in_process_of_its_own("--ask", window, "--url", url, "--count", count)
        with urllib.request.urlopen(url.removesuffix("/v1") + "/stats", timeout=10) as answer:
            seen: dict[str, float] = json.loads(answer.read())
    share = seen["mean_with_work_left"] / window
    print(f"window {window}: {share:.1%} full on average while work is left ({seen['mean'] / window:.1%} with the last replies), "
          f"{seen['most']:.0f} at most", flush=True)  # fmt: skip
    return seen


def memory(count: int) -> list[float]:
    """Resident memory over `count` requests, printed."""
    with instant() as url:
        found: list[float] = in_process_of_its_own("--grow", "--url", url, "--count", count)["mib"]
    print(
        f"resident MiB after each tenth of {count:,} requests: {', '.join(f'{item:.0f}' for item in found)}", flush=True
    )
    return found


def main() -> None:
    """All of it, or one arm in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory-requests", type=int, default=100_000)
    parser.add_argument("--full-requests", type=int, default=3_000)
    for hidden in ("--arm", "--url"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--ask", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--grow", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.arm:
        print(json.dumps(measure(chosen.arm, chosen.url, chosen.count)))
    elif chosen.ask:
        stats = hornbook(chosen.url, requests_of(range(chosen.count), 64, MODEL), chosen.ask)
        print(json.dumps({"mean_in_flight": stats.mean_in_flight}))
    elif chosen.grow:
        print(json.dumps({"mib": growth(chosen.url, chosen.count)}))
    else:
        result = {"options": vars(chosen), "speed": cost_table(chosen.count, chosen.rounds)}
        result["full"] = fullness(128, chosen.full_requests, 0.5)
        result["memory_mib"] = memory(chosen.memory_requests)
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
