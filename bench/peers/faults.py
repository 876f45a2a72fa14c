"""What three faults among 2,000 rows cost Hornbook: `python -m bench.peers.faults`.

First one HTTP 500, one body cut in half and one reply that hangs for a minute; then, in a second run, one row whose
request is answered with HTTP 500 for ever. The endpoint is the tests' fake teacher, 50 ms a reply. What counts is read
from the journal: rows with a text, and failures with their names. Lines go to `bench/out/faults.jsonl`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from bench.peers.catalogue import ARMS, Arm
from bench.peers.instant import PROMPT
from bench.peers.run import job_for, record, run_arm
from corpus.journal import read_journal
from corpus.store import open_store
from generator.reply import Failure, Reply, outcome_of
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.teacher_server import Fault

DELAY_S, WINDOW, HANG_S = 0.05, 64, 60.0


def _subject(number: int) -> str:
    return f"subject number {number}."


def cases(count: int) -> dict[str, tuple[Fault, ...]]:
    """The faults of each run, at a quarter, half and three quarters of the rows."""
    once = (Fault("error_500", _subject(count // 4)), Fault("broken_json", _subject(count // 2)),
            Fault("hang", _subject(3 * count // 4), seconds=HANG_S))  # fmt: skip
    return {"none": (), "once each": once, "HTTP 500 for ever": (Fault("error_500", _subject(count // 2), times=-1),)}


def measure(arm: Arm, case: str, faults: tuple[Fault, ...], count: int, folder: Path) -> dict[str, Any]:
    """One run."""
    prompts = [PROMPT.format(n=number) for number in range(count)]
    with FakeTeacher(*faults, delay_s=DELAY_S) as fake:
        job = job_for(arm, fake.url, fake.model, prompts, folder, window=WINDOW)
        cost, rows = run_arm(arm, job, folder, limit_s=280.0)
        counts = fake.counts()
    outcomes = [outcome_of(item) for item in read_journal(open_store(f"{job.folder}/journal"))]
    failures = [item for item in outcomes if isinstance(item, Failure)]
    keys = Counter(item.request_key for item in outcomes if isinstance(item, Reply))
    return {
        "case": case, "requests": count, "rows": rows, "code": cost.code, "job_s": cost.ended - cost.begun,
        "replies": len(keys), "repeated": sum(times - 1 for times in keys.values()),
        "failures": [f"{item.request_key}: {item.reason}, {item.detail} ({item.tries} sendings)" for item in failures],
        "received": counts["requests"], "injected": counts["injected"],
    }  # fmt: skip


def main() -> None:
    """Each case once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arm", default="hornbook", choices=[name for name in ARMS if name.startswith("hornbook")])
    parser.add_argument("--requests", type=int, default=2000)
    options = parser.parse_args()
    arm = ARMS[options.arm]
    for case, faults in cases(options.requests).items():
        with tempfile.TemporaryDirectory() as folder:
            found = measure(arm, case, faults, options.requests, Path(folder))
        record("faults", arm, found)
        print(f"{case:18} {found['rows']:,} of {found['requests']:,} rows, {found['repeated']} twice, {found['received']:,} "
              f"requests received, {found['injected']} injected, job {found['job_s']:.1f} s, failures: {found['failures']}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
