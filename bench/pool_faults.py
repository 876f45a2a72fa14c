"""Three endpoints, one killed and one hung in mid-run: is a row lost, and how soon is the speed back?

`python -m bench.pool_faults` asks three fake endpoints of a fixed delay, ends one with SIGKILL, has another leave every
request unanswered while its list of models goes on answering, and counts replies second by second. What the survivor
is given follows from its replies alone. Results: stdout, and `bench/out/pool_faults.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

from corpus.journal import JournalWriter, read_journal
from corpus.store import open_store
from generator.ask import Asker, outcomes_of
from generator.endpoint import EndpointState
from generator.pool import Pool
from generator.reply import Outcome, Reply
from generator.teachers.openai_endpoint import OpenAITeacher
from tests.fakes.asking import request_of
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.teacher_server import Fault

OUT = Path(__file__).parent / "out" / "pool_faults.json"
ENOUGH = 0.6  # of the rate of three


async def asked(
    endpoints: list[FakeTeacher], options: argparse.Namespace, folder: str
) -> tuple[list[tuple[float, Outcome]], list[EndpointState]]:
    """Every outcome with the time at which it was durable, since the first was asked."""
    pool = Pool([OpenAITeacher(item.url) for item in endpoints], most=options.window)
    journal = JournalWriter(open_store(folder), "w")
    asker = Asker(pool, journal, window=options.window, retries=5)
    loop, begun = asyncio.get_running_loop(), time.monotonic()
    loop.call_later(options.at, endpoints[0].kill)
    loop.call_later(options.at, lambda: loop.run_in_executor(None, endpoints[1].set_faults, Fault("hang", times=-1)))
    requests = map(request_of, range(options.requests))
    found = [
        (time.monotonic() - begun, item) async for item in outcomes_of(requests, asker, ahead=options.window + 256)
    ]
    states = pool.states()
    await pool.close()
    journal.close()
    return found, states


def recovery(times: list[float], at: float) -> tuple[float, list[float], float | None]:
    """Replies a second before `at`, shares of it in each second after, and the seconds until three on end stay enough."""
    before = statistics.fmean(sum(second <= item < second + 1 for item in times) for second in range(2, int(at)))
    end = int(max(times))  # the last second is not a whole one
    shares = [sum(at + second <= item < at + second + 1 for item in times) / before for second in range(end - int(at))]
    smooth = [statistics.fmean(shares[place : place + 3]) for place in range(len(shares) - 2)]
    back = next((place for place in range(len(smooth)) if min(smooth[place:]) >= ENOUGH), None)
    return before, shares, back


def main() -> None:
    """One run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=6_000)
    parser.add_argument("--window", type=int, default=60)
    parser.add_argument("--delay", type=float, default=0.2)
    parser.add_argument("--at", type=float, default=8.0, help="seconds until the faults")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        endpoints = [FakeTeacher(delay_s=options.delay) for _ in range(3)]
        try:
            found, states = asyncio.run(asked(endpoints, options, folder))
        finally:
            for item in endpoints:
                item.__exit__()
        stored = Counter(record["request_key"] for record in read_journal(open_store(folder)))
    replies = sum(isinstance(item, Reply) for _, item in found)
    before, shares, back = recovery([at for at, _ in found], options.at)
    lost, twice = options.requests - len(stored), sum(count - 1 for count in stored.values())
    print(f"{replies:,} of {options.requests:,} answered, {lost} lost, {twice} journalled twice, "
          f"{len(found) - replies} rejected for the machinery")  # fmt: skip
    print(f"{before:.0f} replies a second from three; after the faults, by second: "
          f"{' '.join(f'{share:.0%}' for share in shares)}")  # fmt: skip
    print(f"back to {ENOUGH:.0%} {'never' if back is None else f'{back} s'} after the faults")
    print(
        "; ".join(
            f"{item.name}: {item.answered:,} answered, {item.failed} failed, {item.rests} rests" for item in states
        )
    )
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"options": vars(options), "before": before, "shares": shares, "back_s": back}, indent=1))


if __name__ == "__main__":
    main()
