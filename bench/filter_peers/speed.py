"""Documents a CPU second, by tool and task: `python -m bench.filter_peers.speed [TASK…] [--rounds 3]`.

Processor time of one process with one thread, warm, interleaved, the best of the rounds. The documents are text that lies on
this machine, or those of `--files`, shuffled; at `rules` and `chain` all tools are given the same ones, elsewhere a slow
tool only their beginning. Where a tool only signs, its time is set against all that Hornbook does: signatures, index,
verification and decision. `chain` runs from a file to files; its benchmark items are those of `--against`, else pieces of
texts that are not among the documents. Lines go to `bench/out/filters.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.filter_peers.catalogue import ARMS, TASKS, Arm
from bench.peers.install import versions, why_not
from bench.peers.run import OUT
from corpus.config import SourceConfig
from corpus.document import Document
from corpus.readers import read_files, read_source
from filters.benchmarks import load_benchmarks
from filters.classifier import train
from filters.language import language_model

LEAST, MOST = 200, 20_000  # characters of a document
SEED = 17
ITEMS = 500  # benchmark items, where none are named
LEARNED = 2000  # texts that the classifiers of the chain learn from


def write_corpus(path: Path, count: int, files: Sequence[str]) -> list[str]:
    """`count` documents, a JSON object a line; the texts that are left over are handed back."""
    rows = (
        read_files(files)
        if files
        else read_source("machine", SourceConfig(kind="machine", documents=3 * count), seed=SEED)
    )
    texts = [row.text[:MOST] for row in rows if isinstance(row, Document) and len(row.text) >= LEAST]
    random.Random(SEED).shuffle(texts)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in texts[:count])
    return texts[count:] or texts


def write_given(folder: Path, rest: Sequence[str], against: Sequence[str]) -> None:
    """What the chains are given: benchmark items, the language model, and for each its own kind of classifier. They learn
    from halves of the same texts; what they learn is of no use, and what it costs to apply is the same."""
    items = [{"question": item.question, "answer": item.answer} for item in load_benchmarks(tuple(against)).items]
    items = items or [{"question": text[:300], "answer": text[300:500]} for text in rest[:ITEMS]]
    (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items), "utf-8")
    shutil.copy(language_model(), folder / "lid.176.ftz")
    texts, labels = rest[:LEARNED], np.arange(len(rest[:LEARNED])) % 2 == 0
    train("words", texts, labels, seed=SEED).save(folder / "quality.bin")
    train("fasttext", texts, labels, seed=SEED).save(folder / "quality.fasttext.bin")


def measure(arm: Arm, corpus: Path, count: int) -> dict[str, Any]:
    """One run of one arm."""
    variables = {**os.environ, **arm.variables(), "HORNBOOK_CHAIN": str(corpus.parent)}
    done = subprocess.run(arm.command(corpus, count), capture_output=True, text=True, env=variables)
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
    parser.add_argument("--against", nargs="*", default=[], help="benchmarks of the chain")
    options = parser.parse_args()
    chosen = [arm for arm in ARMS if arm.task in (options.tasks or TASKS)]
    for arm in chosen:
        if why := why_not(arm.environment):
            print(f"{arm.name} is left out: {why.splitlines()[-1]}")
    chosen = [arm for arm in chosen if not why_not(arm.environment)]
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place) / "corpus.jsonl"
        rest = write_corpus(corpus, options.documents, options.files)
        if any(arm.task == "chain" for arm in chosen):
            write_given(Path(place), rest, options.against)
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
