"""What asking costs when the teacher costs nothing: `python -m bench.peers.instant [ARM…] [--rounds 3] [--requests 3000]`.

The endpoint (`stub.py`) has core 1, the client and everything that it starts has core 0. Each arm is a command of its
own, from an empty folder to all rows on the disk; rounds are interleaved. Lines go to `bench/out/instant.jsonl`, and
`python -m bench.peers.page --write` puts them into docs/benchmarks.md.

With `--delay .5 --window 128 --spread` the same asks whether the window is full: every reply takes that long on
average, from a third of it to three times as long in a ratio of ten, and the endpoint counts what is in flight.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.peers.catalogue import ARMS, BARE, Arm
from bench.peers.install import why_not
from bench.peers.run import CONTROL_CPU, job_for, record, run_arm

CLIENT_CPU = "0"
STUB = Path(__file__).with_name("stub.py")
PROMPT = (
    "Write a section of a school textbook about subject number {n}. Say what it is, why it matters, and how one finds "
    "out about it. Give one worked example with numbers that a reader can check by hand, and end with a question that "
    "the section itself answers. Write plainly, in full sentences, and do not use lists of any kind."
)


@contextmanager
def stub(delay_s: float, *, spread: bool) -> Iterator[str]:
    """The endpoint's base URL while it runs."""
    command = [str(BARE.python), str(STUB), "--delay", str(delay_s), *(["--spread"] if spread else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        os.sched_setaffinity(process.pid, {CONTROL_CPU})
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.stdin.close()
            process.wait()


def page(url: str, what: str) -> dict[str, Any]:
    """A control page of the stub."""
    with urllib.request.urlopen(f"{url.removesuffix('/v1')}/control/{what}", timeout=30) as answer:
        return dict(json.loads(answer.read()))


def measure(arm: Arm, url: str, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One arm once."""
    prompts = [PROMPT.format(n=number) for number in range(options.requests)]
    job = job_for(arm, url, "instant", prompts, folder, window=options.window)
    load = os.getloadavg()[0]
    page(url, "reset")
    cost, rows = run_arm(arm, job, folder, cpus=CLIENT_CPU, limit_s=options.limit)
    seen = page(url, "stats")
    found = {"requests": options.requests, "window": options.window, "delay_s": options.delay, "spread": options.spread,
             "load": load, "rows": rows, "code": cost.code, "outlived": cost.outlived}  # fmt: skip
    if rows < options.requests:
        found["tail"] = cost.tail
    return {**found, **_figures(cost, seen, options.requests)}


def _figures(cost: Any, seen: dict[str, Any], count: int) -> dict[str, float]:
    span = (seen["last_answer"] - seen["first"]) or 1.0
    filling = (seen["last_request"] - seen["first"]) or 1.0
    return {
        "received": seen["requests"],
        "rate": seen["answered"] / span,
        "cpu_per_1000": cost.cpu_between(seen["first"], seen["last_answer"]) / count * 1000,
        "job_cpu_per_1000": cost.cpu_s / count * 1000,
        "job_s": cost.ended - cost.begun,
        "startup_s": seen["first"] - cost.begun if seen["first"] else 0.0,
        "peak_mib": cost.peak_pss_mib,
        "processes": cost.most_processes,
        "most_in_flight": seen["most"],
        "mean_in_flight": seen["area"] / span,
        "mean_while_filling": seen["area_until_last_request"] / filling,
        "connections": seen["connections"],
        "stub_cpu_s": seen["cpu"],
    }


def told(name: str, found: dict[str, Any]) -> str:
    """One line for a person."""
    whole = "" if found["rows"] == found["requests"] else f"  ONLY {found['rows']} of {found['requests']} rows"
    return (
        f"{name:14} {found['rate']:7,.0f}/s  {found['cpu_per_1000']:5.2f} CPU-s/1,000 ({found['job_cpu_per_1000']:5.2f} whole job)  "
        f"{found['peak_mib']:5,.0f} MiB in {found['processes']}  in flight {found['mean_while_filling']:.1f} (most {found['most_in_flight']})"
        f"  load {found['load']:.1f}{whole}"
    )


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arms", nargs="*", help=f"of {', '.join(ARMS)}; all when left out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--window", type=int, default=64)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--spread", action="store_true")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for one arm")
    return parser.parse_args(arguments)


def main() -> None:
    """All rounds."""
    options = options_of()
    os.sched_setaffinity(0, {CONTROL_CPU})
    chosen = [ARMS[name] for name in options.arms or ARMS]
    for turn in range(options.rounds):
        for arm in chosen if turn % 2 == 0 else reversed(chosen):
            if why := why_not(arm.environment):
                print(f"{arm.name:14} left out: {why.strip().splitlines()[-1]}")
                continue
            with stub(options.delay, spread=options.spread) as url, tempfile.TemporaryDirectory() as folder:
                found = measure(arm, url, options, Path(folder))
            record("instant", arm, found)
            print(told(arm.name, found), flush=True)
            if "tail" in found:
                print(found["tail"])


if __name__ == "__main__":
    main()
