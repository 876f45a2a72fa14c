"""Does the order of sending meet the server's prefix cache? The same prompts in Hornbook's order and shuffled.

`python -m bench.prefix_order` starts the embedded teacher on vLLM with a key-value cache that holds a part of all shared
beginnings only, and asks for groups of prompts that share a beginning of more than 400 tokens, in interleaved rounds.
The server's own counters say how many prompt tokens it found in its cache. Results: stdout, `bench/out/prefix_order.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.arms import requests_of
from corpus.journal import JournalWriter
from corpus.store import open_store
from corpus.tokens import load_counter
from generator.ask import ask
from generator.local import SERVED_NAME, ensure_embedded_teacher
from generator.pool import Pool
from generator.request import Request
from generator.send_order import send_order
from generator.server import VllmServer
from generator.server_metrics import read_metrics
from generator.teacher_config import ServerConfig
from generator.teachers.openai_endpoint import OpenAITeacher
from ray_jobs.cluster import cache_folder

OUT = Path(__file__).parent / "out" / "prefix_order.json"
ORDERS = ("shuffled", "hornbook")
THINGS = [
    "river",
    "bridge",
    "window",
    "harvest",
    "market",
    "engine",
    "garden",
    "letter",
    "mountain",
    "orchestra",
    "library",
    "railway",
    "kitchen",
]


def beginning(group: int, salt: int) -> str:
    """Instructions of a kind that templates hold, different in each group and round from the first word on."""
    draw = random.Random(salt * 1000 + group)
    rules = [f"Rule {number}: when you write of a {draw.choice(THINGS)}, name the {draw.choice(THINGS)} beside it and say why."
             for number in range(1, 21)]  # fmt: skip
    return f"Guide {draw.randrange(10**6)}. You write short lessons. " + " ".join(rules)


def prompts(groups: int, each: int, salt: int) -> list[Request]:
    """In the order of a plan: one of every group, then the next of every group."""
    return [
        replace(request, key=f"{salt}-{request.key}", messages=(
            {"role": "system", "content": beginning(number % groups, salt)},
            {"role": "user", "content": f"Write the first line of lesson {number}."},
        ))
        for number, request in enumerate(requests_of(range(groups * each), 8, SERVED_NAME))
    ]  # fmt: skip


def hit_rate(url: str, requests: Sequence[Request], window: int) -> tuple[float, float]:
    """Share of prompt tokens found in the cache, and seconds."""

    async def go() -> None:
        with tempfile.TemporaryDirectory() as folder:
            journal, pool = JournalWriter(open_store(folder), "w"), Pool([OpenAITeacher(url)], most=window)
            stats = await ask(requests, pool, journal, window=window, retries=2)
            assert stats.answered == len(requests)
            await pool.close()
            journal.close()

    before, begun = read_metrics(url), time.monotonic()
    asyncio.run(go())
    after = read_metrics(url)
    queried = after.prefix_queries - before.prefix_queries
    return (after.prefix_hits - before.prefix_hits) / max(1, queried), time.monotonic() - begun


def main() -> None:
    """Both orders, in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=32)
    parser.add_argument("--each", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--window", type=int, default=12)
    parser.add_argument("--blocks", type=int, default=40, help="of the key-value cache, 128 tokens each")
    options = parser.parse_args()
    folder = ensure_embedded_teacher(cache_folder())
    counter = load_counter(str(folder / "tokenizer.json"))
    lengths = counter.count([beginning(group, 0) for group in range(options.groups)])
    print(f"{options.groups} beginnings of {lengths.min()} to {lengths.max()} tokens, {lengths.sum():,} in all")
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ORDERS}
    with tempfile.TemporaryDirectory() as logs:
        log = Path(logs) / "vllm.log"
        extra = ("--num-gpu-blocks-override", str(options.blocks), "--enable-prefix-caching", "--block-size", "128")
        with VllmServer(
            str(folder), SERVED_NAME, ServerConfig(max_num_seqs=8, max_model_len=1024), log, extra
        ) as server:
            url = server.start().wait_ready()
            print(f"the cache holds {options.blocks * 128:,} tokens", flush=True)
            for turn in range(options.rounds):
                for arm, name in enumerate(found if turn % 2 == 0 else list(reversed(ORDERS))):
                    requests = prompts(options.groups, options.each, salt=turn * 10 + arm)
                    if name == "shuffled":
                        random.Random(turn).shuffle(requests)
                    elif name == "hornbook":
                        requests = send_order(requests, lambda item: item)
                    found[name].append(hit_rate(url, requests, options.window))
                    print(f"round {turn + 1}: {name} {found[name][-1][0]:.1%}", flush=True)
    for name, runs in found.items():
        rate, seconds = (statistics.median(item[place] for item in runs) for place in (0, 1))
        print(f"{name:9} {rate:.1%} of the prompt tokens were in the cache, {seconds:.1f} s a round")
    rates = {name: statistics.median(item[0] for item in runs) for name, runs in found.items()}
    print(f"hornbook / shuffled: {rates['hornbook'] / max(1e-9, rates['shuffled']):.2f} x the hit rate")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"options": vars(options), "rounds": found}, indent=1))


if __name__ == "__main__":
    main()
