"""Duplicates among many documents, killed and resumed: `python -m bench.dedup_scale --documents 1000000`.

Makes documents of 2 KB from sentences of real text, every fifth a copy with 0 to 6 words replaced; runs `hornbook filter
dedup` on them without a break; runs it again, ends it with SIGKILL at random moments, and resumes it; compares the two
results byte by byte and prints time, processor time and the peak memory of the whole process tree. The steps `make`,
`whole` and `killed` can be run one by one in the same `--folder`: what is there is not made again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from bench.peers.run import OUT
from bench.real_sentences import Recombined, sentences

SHARD = 50_000
POLL_S = 0.1
ONE_THREAD = {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
Told = dict[str, Any]


def make(folder: Path, documents: int) -> None:
    """Shards of documents, each made once."""
    left = [start for start in range(0, documents, SHARD) if not _shard(folder, start).exists()]
    made = Recombined(sentences([])) if left else None
    for start in left:
        numbers = range(start, min(start + SHARD, documents))
        table = pa.table({"number": list(numbers), "text": [made.text(number) for number in numbers]})
        path = _shard(folder, start)
        pq.write_table(table, path.with_suffix(".part"), compression="zstd", row_group_size=5000)
        path.with_suffix(".part").replace(path)
    print(f"{documents:,} documents in {folder}", flush=True)


def _shard(folder: Path, start: int) -> Path:
    return folder / "documents" / f"{start:09}.parquet"


def run(folder: Path, out: Path, how: list[str], kill_after_s: float | None) -> Told:
    """`hornbook filter dedup` with the options in `how`, to its end or to a kill of the whole tree."""
    command = [sys.executable, "-m", "ray_jobs.cli.main", "filter", "dedup", str(folder / "documents"),
               "--out", str(out), *how]  # fmt: skip
    begun, peak, cpu = time.monotonic(), 0.0, {}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD})
    killed = False
    while process.poll() is None:
        tree = _tree(process.pid)
        peak = max(peak, _memory(tree))
        cpu |= _times(tree)
        if kill_after_s is not None and time.monotonic() - begun > kill_after_s:
            killed = True
            for one in tree:
                with suppress(psutil.Error):
                    one.kill()
        time.sleep(POLL_S)
    told = process.stderr.read() if process.stderr else ""
    if process.returncode and not killed:
        raise SystemExit(told)
    return {"killed": killed, "wall_s": round(time.monotonic() - begun, 1), "cpu_s": round(sum(cpu.values()), 1),
            "peak_rss_mib": round(peak), "told": told.splitlines()}  # fmt: skip


def _tree(pid: int) -> list[psutil.Process]:
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def _memory(tree: list[psutil.Process]) -> float:
    """MiB of resident memory, shared pages counted in every process."""
    total = 0
    for one in tree:
        with suppress(psutil.Error):
            total += one.memory_info().rss
    return total / 2**20


def _times(tree: list[psutil.Process]) -> dict[int, float]:
    found = {}
    for one in tree:
        with suppress(psutil.Error):
            times = one.cpu_times()
            found[one.pid] = times.user + times.system
    return found


def whole(folder: Path, how: list[str]) -> Told:
    """One run without a break."""
    return run(folder, folder / "whole.parquet", how, None)


def killed(folder: Path, how: list[str], about_s: float, kills: int, seed: int) -> Told:
    """Runs that are ended at random moments within the time that a whole one took, and one that goes on to the end."""
    chance, out = random.Random(seed), folder / "killed.parquet"
    runs = []
    for _ in range(kills):
        runs.append(run(folder, out, how, chance.uniform(0.1, 0.9) * about_s))
        print(json.dumps(runs[-1]), flush=True)
        if not runs[-1]["killed"]:
            return {"runs": runs, **runs[-1]}
    last = run(folder, out, how, None)
    return {"runs": runs, **last, "peak_rss_mib": max(one["peak_rss_mib"] for one in [*runs, last])}


def recall(out: Path, documents: int) -> list[str]:
    """Of the planted copies those that do not stand beside their original any more, and what else is gone."""
    kept = {_number(origin) for origin in pq.read_table(out, columns=["origin"])["origin"].to_pylist()}
    pool, found = Recombined(["x" * 100]), dict[int, list[bool]]()
    copied = set[int]()
    for number in range(documents):
        origin, changes = pool.copied(number)
        if origin is not None:
            found.setdefault(changes, []).append(number not in kept or origin not in kept)
            copied |= {number, origin}
    lost = documents - len(kept | copied)
    lines = [f"{changes} words changed: {sum(flags):,} of {len(flags):,} copies found ({sum(flags) / len(flags):.2%})"
             for changes, flags in sorted(found.items())]  # fmt: skip
    return [*lines, f"documents without a copy that are gone: {lost:,}"]


def _number(origin: str) -> int:
    label, _, row = origin.rpartition(":")
    return int(label.removesuffix(".parquet")) + int(row)


def main() -> None:
    """The chosen steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("steps", nargs="*", default=["make", "whole", "killed"])
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--unit", default="document", help="document, passage or meaning")
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--folder", type=Path, default=OUT / "dedup-scale")
    options = parser.parse_args()
    folder = options.folder / str(options.documents)
    (folder / "documents").mkdir(parents=True, exist_ok=True)
    notes = folder / f"whole-{options.unit}-{options.workers}.json"
    how = ["--workers", str(options.workers), "--unit", options.unit]
    if "make" in options.steps:
        make(folder, options.documents)
    if "whole" in options.steps:
        notes.write_text(json.dumps(whole(folder, how)))
        print(notes.read_text(), flush=True)
    if "killed" in options.steps:
        about = json.loads(notes.read_text())["wall_s"]
        found = killed(folder, how, about, options.kills, options.seed)
        print(json.dumps(found), flush=True)
        same = _digest(folder / "whole.parquet") == _digest(folder / "killed.parquet")
        print(
            f"killed {sum(one['killed'] for one in found['runs'])} times, resumed: {'the same' if same else 'ANOTHER'} result"
        )
        if options.unit == "document":
            print("\n".join(recall(folder / "killed.parquet", options.documents)))


def _digest(path: Path) -> str:
    return xxhash.xxh3_128_hexdigest(path.read_bytes())


if __name__ == "__main__":
    main()
