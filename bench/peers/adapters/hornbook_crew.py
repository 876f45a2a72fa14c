"""Hornbook as a run asks on one machine: in its own process, beside which Ray rests; or an actor on a local Ray, as on a
cluster, with `--askers 1`.

Each reply is durable in the journal before it counts; the rows are written from what the crew hands over.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from job import Job

from generator.reply import Outcome, Reply
from generator.request import Demands, Request, Sampling
from generator.teacher_config import TeacherConfig
from ray_jobs.cluster import askers_of, connect
from ray_jobs.crew import Crew, LocalCrew, RayCrew
from ray_jobs.recipe import RunConfig


def requests_of(job: Job) -> list[Request]:
    """The job's rows as Hornbook's requests; a row's id is the key."""
    sampling, demands = Sampling(job.temperature, job.top_p), Demands(job.max_tokens, 300.0)
    return [
        Request(row["id"], row["id"], 0, ({"role": "user", "content": row["prompt"]},), job.model, "main", sampling,
                job.seed, demands, "bench")
        for row in job.rows
    ]  # fmt: skip


class Rows:
    """A source that is simply emptied."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._left = deque(requests)

    def take(self, limit: int) -> list[Request]:
        """The next requests."""
        return [self._left.popleft() for _ in range(min(limit, len(self._left)))]


def crew_of(job: Job, config: RunConfig) -> Crew:
    """As `ray_jobs.crew.crew_for` chooses it."""
    teacher = TeacherConfig(concurrency=job.window, endpoints=(job.url,))
    journal = f"{job.folder}/journal"
    if not (askers := askers_of(config)):
        return LocalCrew(teacher, (job.url,), job.model, journal)
    connect(config)
    return RayCrew(teacher, (job.url,), job.model, journal, askers)


def main() -> None:
    """Ask for all rows and write them."""
    options = argparse.ArgumentParser()
    options.add_argument("job", type=Path)
    options.add_argument("--askers", type=int)
    chosen = options.parse_args()
    job = Job.read(chosen.job)
    crew, outcomes = crew_of(job, RunConfig(askers=chosen.askers)), list[Outcome]()
    crew.ask(Rows(requests_of(job)), outcomes.extend, threading.Event())
    crew.close()
    job.write((item.request_key, item.text) for item in outcomes if isinstance(item, Reply))


if __name__ == "__main__":
    main()
