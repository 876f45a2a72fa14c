"""Wall time of the stages on one Ray worker against two: `python -m bench.workers --files … [--rounds 2]`.

The documents are made of sentences of the files, drawn at random, so that no two are alike; every hundredth is a near copy.
Each run is a run of its own with Ray started anew, one after the other, the best of the rounds counts. A stage's seconds are
those of its manifest: from its first task to its last partition, without Ray's start. `read` is left out: it works on one
source at a time, and there is one. Wall time says little on a machine that others use. `--share` therefore counts processor
time in one process instead: what of a stage is done by its tasks, which workers share, and what the driver has to do alone.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from corpus.document import Document
from corpus.manifest import Manifest, load_manifest
from corpus.readers import read_files
from corpus.store import open_store
from ray_jobs.desk import Desk
from ray_jobs.line import Line, run_folder
from ray_jobs.passes import InProcess
from ray_jobs.resolve import resolve
from ray_jobs.stage import complete
from ray_jobs.stages import filter as filter_stage
from ray_jobs.stages import read, score
from ray_jobs.talk import Talk
from trainer.tokenizer import train_tokenizer

STAGES = ("score", "filter")
SENTENCES = 12  # a document
RECIPE = """\
name: scale
store: {folder}/runs
teacher: {{tokenizer: {folder}/tokenizer}}
sources: {{web: {{kind: files, paths: ["{folder}/web.jsonl"], licence: MIT}}}}
filters: {{quality: 0, decontaminate: {{against: ["{folder}/items.jsonl"]}}}}
"""


def write(folder: Path, files: list[str], count: int) -> None:
    """Documents, benchmark items, a tokenizer and the recipe."""
    draw = random.Random(17)
    texts = [row.text for row in read_files(files) if isinstance(row, Document)]
    pool = [part for text in texts for part in re.split(r"(?<=[.!?])\s+", text) if 40 < len(part) < 400]
    made: list[str] = []
    for number in range(count):
        if number % 100 == 99:
            made.append(made[draw.randrange(len(made))] + " " + draw.choice(pool))
        else:
            made.append("\n".join(" ".join(draw.sample(pool, SENTENCES // 3)) for _ in range(3)))
    (folder / "web.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in made), "utf-8")
    items = [{"question": " ".join(draw.sample(pool, 3)), "answer": "none"} for _ in range(1000)]
    (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items), "utf-8")
    train_tokenizer(iter(made[:3000]), 16384, folder / "tokenizer")
    (folder / "scale.yaml").write_text(RECIPE.format(folder=folder), "utf-8")


def seconds(folder: Path, workers: int, version: str) -> tuple[dict[str, float], str]:
    """Of each stage, and the hash of what was kept."""
    command = [sys.executable, "-m", "ray_jobs.cli.main", "run", str(folder / "scale.yaml"),
               "--set", f"run.workers={workers}", "--set", f"version={version}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-1000:])
    store = open_store(f"{folder}/runs/scale@{version}")
    found = {name: manifest.seconds for name in STAGES if (manifest := load_manifest(store.child(name)))}
    last = load_manifest(store.child("filter"))
    return found, last.dataset_hash if last else ""


class Counted(InProcess):
    """Passes in this process that add up the processor time of their tasks."""

    spent = 0.0

    def map(self, function: Callable[[Any], Any], items: Iterable[Any], watch: Any = None) -> Iterator[Any]:
        """As in a run without Ray."""
        for item in items:
            begun = time.process_time()
            made = function(item)
            self.spent += time.process_time() - begun
            yield made


def share(folder: Path) -> None:
    """Print what of each stage the driver does alone, and how fast two workers can be at best."""
    recipe = resolve(str(folder / "scale.yaml"), ["run.workers=0", "version=share"], {}).recipe
    line = Line(
        recipe,
        run_folder(recipe),
        Counted(),
        Talk(quiet=True),
        Desk(recipe.teacher, folder / "teacher.log", Talk(quiet=True)),
    )
    made: dict[str, Manifest] = {}
    for name in ("read", *STAGES):
        makers = {
            "read": lambda: read.stage(line),
            "score": lambda: score.stage(line, made["read"]),
            "filter": lambda: filter_stage.stage(line, made),
        }
        line.passes.spent, begun = 0.0, time.process_time()  # type: ignore[attr-defined]
        made[name] = complete(makers[name](), line.folder, recipe.label)
        whole = time.process_time() - begun
        alone = 1 - line.passes.spent / whole  # type: ignore[attr-defined]
        print(
            f"{name:<7} {whole:6.1f} CPU s, {alone:.1%} by the driver alone: two workers at most {2 / (1 + alone):.2f} x"
        )


def main() -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", nargs="+", required=True)
    parser.add_argument("--documents", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--share", action="store_true")
    options = parser.parse_args()
    if options.share:
        with tempfile.TemporaryDirectory() as place:
            write(Path(place), options.files, options.documents)
            share(Path(place))
        return
    best: dict[tuple[str, int], float] = defaultdict(lambda: float("inf"))
    hashes = set()
    with tempfile.TemporaryDirectory() as place:
        write(Path(place), options.files, options.documents)
        for turn in range(options.rounds):
            for workers in (1, 2):
                found, kept = seconds(Path(place), workers, f"{turn}-{workers}")
                hashes.add(kept)
                found["both"] = sum(found.values())
                print(
                    f"round {turn}, {workers} workers: " + ", ".join(f"{k} {v:.1f} s" for k, v in found.items()),
                    flush=True,
                )
                for name, spent in found.items():
                    best[name, workers] = min(best[name, workers], spent)
    for name in (*STAGES, "both"):
        print(
            f"{name:<7} {best[name, 1]:7.1f} s on one worker, {best[name, 2]:7.1f} s on two: {best[name, 1] / best[name, 2]:.2f} x"
        )
    print(f"{options.documents:,} documents; the same rows kept by all runs: {'yes' if len(hashes) == 1 else 'NO'}")


if __name__ == "__main__":
    main()
