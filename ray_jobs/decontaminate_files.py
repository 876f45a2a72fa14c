"""Decontamination of plain files against benchmarks, and its measurement on leaks that it plants itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import Rejection
from corpus.errors import RecipeError
from filters.benchmarks import load_benchmarks
from filters.chain import decide
from filters.config import DecontaminateConfig, FilterConfig
from filters.decontaminate import contamination, decontaminator
from filters.paraphrased import paraphrase_test
from filters.paraphrases import ParaphraseIndex
from filters.planted_leaks import SelfTest, self_test
from generator.local_embed import load_encoder
from ray_jobs.plain_files import batches, unread
from ray_jobs.sink import sink

SHOWN = 5  # rejected documents that are named
HOSTS = 20_000  # documents that leaks are planted in


def decontaminate_files(files: Sequence[str], config: DecontaminateConfig, out: str | Path, field: str) -> list[str]:
    """Write the documents that hold no benchmark item, with their scores; what goes is counted and named."""
    rejected, unreadable = [], list[Rejection]()
    kept = 0
    with sink(out) as file:
        for documents in batches(files, field, unreadable):
            scores = contamination(documents, config)
            gone = decide(documents, scores, FilterConfig(decontaminate=config, languages=()))
            rejected += [row for row in gone.to_pylist() if row["reason"].startswith("contaminated.")]
            names = pa.array([row["id"] for row in rejected], pa.string())
            whole = pa.table(dict(zip(documents.column_names, documents.columns, strict=True))
                             | {name: scores[name] for name in scores.column_names[1:]})  # fmt: skip
            clean = whole.filter(pc.invert(pc.is_in(whole["id"], value_set=names)))
            file.write(clean)
            kept += clean.num_rows
        if file.empty:
            raise RecipeError(
                "no readable document in these files", hint="; ".join(row.detail for row in unreadable[:3])
            )
    return [*_told(rejected, kept), *_unchecked(config), *unread(unreadable), f"wrote {out}"]


def self_test_files(files: Sequence[str], config: DecontaminateConfig, sample: int, field: str) -> list[str]:
    """Plant leaks of each kind into the documents of the files and say how many are found."""
    unreadable: list[Rejection] = []
    hosts: list[str] = []
    for documents in batches(files, field, unreadable):
        hosts += documents["text"].to_pylist()
        if len(hosts) >= HOSTS:
            break
    found = self_test(load_benchmarks(config.against).items, hosts[:HOSTS], config, sample)
    return [*_table(found), *_alarms(found), *unread(unreadable)]


def _told(rejected: Sequence[dict[str, str]], kept: int) -> Iterator[str]:
    yield f"{kept + len(rejected):,} documents, {kept:,} kept"
    for reason, count in Counter(row["reason"] for row in rejected).most_common():
        yield f"{count:,} {reason}"
    yield from (f"  {row['id']}  {row['detail']}" for row in rejected[:SHOWN])


def _unchecked(config: DecontaminateConfig) -> Iterator[str]:
    index = decontaminator(config)
    for name, count in (index.unchecked if index else {}).items():
        yield f"{name}: {count:,} items are too short to be told from chance, and were not looked for"


def _table(found: SelfTest) -> Iterator[str]:
    yield f"{'benchmark':<24} {'kind of leak':<13} {'planted':>7} {'found':>6} {'recall':>7}"
    for row in found.recalls:
        yield f"{row.benchmark:<24.24} {row.kind:<13} {row.planted:>7,} {row.found:>6,} {row.share:>7.3f}"
    for kind in dict.fromkeys(row.kind for row in found.recalls):
        rows = [row for row in found.recalls if row.kind == kind]
        planted, hits = sum(row.planted for row in rows), sum(row.found for row in rows)
        yield f"{'all':<24} {kind:<13} {planted:>7,} {hits:>6,} {hits / planted:>7.3f}"
    for name, count in {row.benchmark: row.unchecked for row in found.recalls if row.unchecked}.items():
        yield f"{name}: {count:,} items are too short to be told from chance; none was planted"


def _alarms(found: SelfTest) -> Iterator[str]:
    yield (
        f"false drops: {found.alarms:,} of {found.hosts:,} documents as they are"
        f" ({found.alarms / max(1, found.hosts):.3%}; all false only where the files hold no benchmark)"
    )
    yield (
        f"neighbours: {found.neighbour_alarms:,} of {found.neighbours:,} items that the index does not hold"
        f" ({found.neighbour_alarms / max(1, found.neighbours):.3%})"
    )
    yield (
        f"shared form: {found.form_alarms:,} of {found.forms:,} documents under the licence and the instruction of every item"
    )


def paraphrases_files(
    files: Sequence[str], config: DecontaminateConfig, embedding: str, sample: int, field: str
) -> list[str]:
    """Look a sample of the documents up by meaning and name what comes near an item. Nothing is dropped."""
    texts = _sampled(files, sample, field)
    items = load_benchmarks(config.against).items
    near = [
        row
        for row in ParaphraseIndex(items, load_encoder(embedding)).nearest(texts)
        if row.similarity >= config.paraphrase
    ]
    lines = [
        f"paraphrases: {len(near):,} of {len(texts):,} sampled documents come as near to an item as {config.paraphrase:g}"
    ]
    for row in sorted(near, key=lambda row: -row.similarity)[:SHOWN]:
        lines.append(f"  {row.similarity:.2f}  {row.item}  {row.window[:100]!r}")
    return lines


def paraphrase_test_files(
    files: Sequence[str], config: DecontaminateConfig, embedding: str, sample: int, field: str
) -> list[str]:
    """Plant paraphrases into the documents and say how many a look-up by meaning finds, and how many alarms are false."""
    items = load_benchmarks(config.against).items
    rows = paraphrase_test(items, _sampled(files, sample, field), config, load_encoder(embedding), sample)
    return [
        f"{row.benchmark:<24.24} paraphrased: {row.found:,} of {row.planted:,} ({row.found / max(1, row.planted):.3f}) at similarity "
        f"{config.paraphrase:g}, {row.by_words} of them also by words; false: {row.neighbour_alarms} of {row.neighbours} items that the "
        f"index does not hold, {row.host_alarms} of {row.hosts} texts as they are"
        for row in rows
    ]


def _sampled(files: Sequence[str], sample: int, field: str) -> list[str]:
    texts = [text for documents in batches(files, field, []) for text in documents["text"].to_pylist()]
    order = np.random.default_rng(17).permutation(len(texts))[:sample]
    return [texts[place] for place in sorted(order.tolist())]
