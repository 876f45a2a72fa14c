"""Runs one arm on one job in a process tree of its own, and appends what was found to a file of results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.peers.adapters.job import Job
from bench.peers.catalogue import ROOT, Arm
from bench.peers.install import versions
from bench.peers.tree import Cost

OUT = ROOT / "bench" / "out"
CONTROL_CPU = 1  # where the measuring itself and the stub run, when the client is held to core 0


def run_arm(arm: Arm, job: Job, folder: Path, *, cpus: str = "", limit_s: float = 240.0) -> tuple[Cost, int]:
    """What it cost, and how many rows it wrote with text in them."""
    told, out = folder / f"{arm.name}.job.json", folder / f"{arm.name}.cost.json"
    told.write_text(json.dumps(asdict(job)))
    command = [sys.executable, "-m", "bench.peers.tree", str(out), "--cpus", cpus, "--limit", str(limit_s), "--"]
    subprocess.run([*command, *arm.command(told)], cwd=ROOT, check=True, env={**os.environ, **arm.variables_of()})
    return Cost(**json.loads(out.read_text())), rows_of(job)


def rows_of(job: Job) -> int:
    """Rows with text; each id counts once."""
    path = Path(job.out)
    if not path.exists():
        return 0
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return len({row["id"] for row in rows if row["text"]})


def job_for(arm: Arm, url: str, model: str, prompts: Sequence[str], folder: Path, **settings: Any) -> Job:
    """A job in a folder of its own."""
    own = folder / f"{arm.name}-{time.monotonic_ns()}"
    own.mkdir(parents=True)
    path = own / "prompts.jsonl"
    path.write_text("".join(json.dumps({"id": f"row-{n}", "prompt": text}) + "\n" for n, text in enumerate(prompts)))
    defaults: dict[str, Any] = {"max_tokens": 256, "temperature": 0.8, "top_p": 0.95, "seed": 17}
    return Job(url, model, prompts=str(path), out=str(own / "out.jsonl"), folder=str(own), **{**defaults, **settings})


def record(name: str, arm: Arm, found: Mapping[str, Any]) -> None:
    """Append a line to `bench/out/NAME.jsonl`."""
    OUT.mkdir(parents=True, exist_ok=True)
    row = {
        "arm": arm.name,
        "at": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "versions": versions(arm.environment, arm.shown),
        **found,
    }
    with (OUT / f"{name}.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
