"""Documents a CPU second, by tool and task: `python -m bench.filter_peers.speed [TASK…] [--rounds 3]`.

Processor time of one process with one thread, interleaved, the best of the rounds; a slow tool is given the first part of
the documents. The documents are text that lies on this machine, or those of `--files`. Where a tool only signs, its time
is set against all that Hornbook does: signatures, index, verification and decision. Lines go to `bench/out/filters.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from bench.filter_peers.catalogue import ARMS, TASKS, Arm
from bench.peers.install import versions, why_not
from bench.peers.run import OUT
from corpus.config import SourceConfig
from corpus.document import Document
from corpus.readers import read_files, read_source

LEAST = 200  # characters of a document


def write_corpus(path: Path, count: int, files: Sequence[str]) -> None:
    """`count` documents, a JSON object a line."""
    rows = (
        read_files(files)
        if files
        else read_source("machine", SourceConfig(kind="machine", documents=3 * count), seed=17)
    )
    texts = (row.text for row in rows if isinstance(row, Document) and len(row.text) >= LEAST)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text[:20_000]}) + "\n" for text in islice(texts, count))


def measure(arm: Arm, corpus: Path, count: int) -> dict[str, Any]:
    """One run of one arm."""
    done = subprocess.run(
        arm.command(corpus, count), capture_output=True, text=True, env={**os.environ, **arm.variables()}
    )
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no word"])[-1]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def main() -> None:
    """All arms of the chosen tasks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", help=f"of {', '.join(TASKS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--files", nargs="*", default=[])
    options = parser.parse_args()
    chosen = [arm for arm in ARMS if arm.task in (options.tasks or TASKS)]
    for arm in chosen:
        if why := why_not(arm.environment):
            print(f"{arm.name} is left out: {why.splitlines()[-1]}")
    chosen = [arm for arm in chosen if not why_not(arm.environment)]
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place) / "corpus.jsonl"
        write_corpus(corpus, options.documents, options.files)
        best: dict[tuple[str, str], dict[str, Any]] = {}
        for _ in range(options.rounds):
            for arm in chosen:
                found = measure(arm, corpus, options.documents)
                _record(arm, found)
                if "error" in found:
                    print(f"{arm.task:<10} {arm.name:<13} failed: {found['error'][:160]}", flush=True)
                elif (before := best.get((arm.task, arm.name))) is None or _rate(found) > _rate(before):
                    best[arm.task, arm.name] = found
    for line in table(best):
        print(line)


def table(best: dict[tuple[str, str], dict[str, Any]]) -> list[str]:
    """One line a tool and task: rate, megabytes, peak memory, and how many times as fast Hornbook is."""
    lines = []
    for (task, name), found in sorted(best.items()):
        rate, ours = _rate(found), _rate(best[task, "hornbook"]) if (task, "hornbook") in best else 0.0
        lines.append(
            f"{task:<10} {name:<13} {found['documents'] / found['cpu_s']:>10,.0f} documents/CPU s  {rate / 1e6:>6.1f} MB/s  "
            f"{found['peak_mib']:>6.0f} MiB  hornbook is {ours / rate:>6.1f} x  {found['told']}"
        )
    return lines


def _rate(found: dict[str, Any]) -> float:
    """Bytes a CPU second: slow tools get the first documents only, which may be longer or shorter than the rest."""
    return float(found["bytes"] / found["cpu_s"])


def _record(arm: Arm, found: dict[str, Any]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    row = {"task": arm.task, "arm": arm.name, "versions": versions(arm.environment, arm.shown), **found}
    with (OUT / "filters.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
