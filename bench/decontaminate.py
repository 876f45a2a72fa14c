"""Decontamination beside the loop that one would write by hand, a set of word tuples, and beside datatrove, interleaved.

    python -m bench.decontaminate DOCUMENTS.jsonl.gz … --against BENCHMARK.jsonl.gz … [--size 13]

All split the text themselves and say of every document whether it holds any n-gram of the benchmarks, which is the exact
part of what `filters.decontaminate` does; its verdict by coverage, code included, is timed beside it. CPU time of one process
each; datatrove, where its environment is installed, has its own splitter and is given the first `--peer-most` documents.
At the end sets of boilerplate are searched, none of which should be flagged (`bench.boilerplate_sets`).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench import boilerplate_sets
from bench.filter_peers.catalogue import ADAPTERS, DATATROVE, ONE_THREAD
from bench.peers.catalogue import QUIET
from bench.peers.install import why_not
from corpus.document import Document
from corpus.readers import read_files
from filters.benchmarks import load_benchmarks
from filters.config import DecontaminateConfig
from filters.decontaminate import Decontaminator
from filters.gram_index import GramIndex
from filters.minhash import shingles
from filters.planted_leaks import whole
from filters.words import Words, split_words

HAN = "\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u303b\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
WORD = re.compile(rf"[{HAN}]|[^\W{HAN}]+")  # Python's nearest to the shared split
BATCH = 2000


def main() -> None:
    """Print CPU seconds, ratios and differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", nargs="+")
    parser.add_argument("--against", nargs="+", action="extend", required=True)
    parser.add_argument("--size", type=int, default=13)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peer-most", type=int, default=1500)
    parser.add_argument(
        "--pages", nargs="*", default=[], help="pages with their menus, for one more set of boilerplate"
    )
    asked = parser.parse_args()
    texts = [row.text for row in read_files(asked.documents) if isinstance(row, Document)]
    items = [whole(item) for item in load_benchmarks(tuple(asked.against)).items]
    known = {gram for item in items for gram in tuples(item, asked.size)}
    index = exact_index(items, asked.size)
    coverage = Decontaminator(load_benchmarks(tuple(asked.against)).items, DecontaminateConfig(against=("given",)))
    arms: dict[str, Callable[[], Sequence[bool]]] = {
        "tuple set": lambda: [any(gram in known for gram in tuples(text, asked.size)) for text in texts],
        "exact n-grams": lambda: in_batches(texts, lambda words: holds(index, words, asked.size)),
        "coverage": lambda: in_batches(texts, lambda words: by_coverage(coverage, words)),
        "with code": lambda: whole_filter(coverage, texts),
    }
    times: dict[str, list[float]] = {name: [] for name in arms}
    verdicts = {}
    peer: list[dict[str, Any]] = []
    for _ in range(asked.repeats):
        for name, arm in arms.items():
            begun = time.process_time()
            verdicts[name] = list(arm())
            times[name].append(time.process_time() - begun)
        if not why_not(DATATROVE):
            peer.append(datatrove(texts[: asked.peer_most], items, asked.size))
    size = sum(len(text.encode()) for text in texts) / 1e6
    print(
        f"{len(texts):,} documents, {size:.1f} MB; {len(known):,} n-grams of {asked.size} words; best of {asked.repeats}"
    )
    for name, spent in times.items():
        ratio = statistics.median(a / b for a, b in zip(times["tuple set"], spent, strict=True))
        print(f"{name:<14} {min(spent):7.2f} s CPU  {size / min(spent):6.1f} MB/s  {min(times['tuple set']) / min(spent):5.2f}x"
              f" (median of pairs {ratio:.2f}x)  {sum(verdicts[name]):,} flagged")  # fmt: skip
    differ = sum(a != b for a, b in zip(verdicts["tuple set"], verdicts["exact n-grams"], strict=True))
    print(f"documents on which the tuple set and the exact n-grams differ: {differ}")
    print("\n".join(beside(peer, {name: size / min(spent) for name, spent in times.items()})))
    named = boilerplate_sets.sets(asked.pages)
    given = load_benchmarks(tuple(asked.against)).items
    print("\n".join(boilerplate_sets.table(given, named, DecontaminateConfig(against=("given",)))))


def datatrove(texts: Sequence[str], items: Sequence[str], size: int) -> dict[str, Any]:
    """One run of its filter in its own environment."""
    with tempfile.TemporaryDirectory() as place:
        paths = []
        for name, rows in (("corpus", texts), ("items", items)):
            paths.append(Path(place) / f"{name}.jsonl")
            paths[-1].write_text("".join(json.dumps({"text": text}) + "\n" for text in rows), "utf-8")
        command = [DATATROVE.python, ADAPTERS / "datatrove_decontaminate.py", paths[0], len(texts), paths[1], size]
        environment = {**os.environ, **QUIET, **ONE_THREAD}
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, check=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def beside(peer: Sequence[dict[str, Any]], rates: dict[str, float]) -> Iterator[str]:
    """How many times as fast as datatrove each arm is, by bytes a CPU second."""
    if not peer:
        yield "datatrove is left out: python -m bench.peers.install"
        return
    best = min(peer, key=lambda row: row["cpu_s"])
    rate = best["bytes"] / best["cpu_s"] / 1e6
    yield f"datatrove      {best['cpu_s']:7.2f} s CPU  {rate:6.2f} MB/s over its {best['documents']:,} documents, {best['told']['flagged']} flagged"
    yield "as fast as datatrove: " + ", ".join(f"{name} {value / rate:.0f}x" for name, value in rates.items())


def whole_filter(index: Decontaminator, texts: Sequence[str]) -> list[bool]:
    """The verdict of the filter, code included."""
    config, flags = DecontaminateConfig(), []
    for start in range(0, len(texts), BATCH):
        found = index.score(pl.Series(list(texts[start : start + BATCH])))
        flags += (
            (found["contaminated.ngram"] >= config.coverage) | (found["contaminated.code"] >= config.code)
        ).tolist()
    return flags


def tuples(text: str, size: int) -> zip:  # type: ignore[type-arg]
    """All runs of `size` words."""
    words = WORD.findall(text.lower())
    return zip(*(words[place:] for place in range(size)), strict=False)


def exact_index(items: Sequence[str], size: int) -> GramIndex:
    """An index of all n-grams of the items."""
    words = split_words(pl.Series(list(items)))
    return GramIndex(words.hashes[words.codes], words.offsets, size, 0.0)


def holds(index: GramIndex, words: Words, size: int) -> list[bool]:
    """Whether each text holds any known n-gram."""
    grams, offsets = shingles(words, size)
    found = np.zeros(len(grams) + 1, dtype=np.int64)
    found[index.matching(grams)[0] + 1] = 1
    total = np.cumsum(found)
    return (total[offsets[1:]] > total[offsets[:-1]]).tolist()


def by_coverage(index: Decontaminator, words: Words) -> list[bool]:
    """The verdict of the filter on words alone."""
    return (index.by_words(words) >= DecontaminateConfig().coverage).tolist()


def in_batches(texts: Sequence[str], verdict: Callable[[Words], list[bool]]) -> list[bool]:
    """Split and judge `BATCH` texts at a time."""
    return [
        flag
        for start in range(0, len(texts), BATCH)
        for flag in verdict(split_words(pl.Series(list(texts[start : start + BATCH]))))
    ]


if __name__ == "__main__":
    main()
