"""clean: the texts that were read, with characters mended and the page's frame taken out; what was done lies beside."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import Rejection, rejections_table
from corpus.facts import Fact, table
from corpus.manifest import Balance, Manifest
from corpus.shards import Partition, read_partition, write_partition
from corpus.store import Store, open_store
from filters.clean import clean_table, mask_counts, step_counts
from filters.config import CleanConfig, FilterConfig
from filters.sensitive import masked_kinds
from ray_jobs.line import Line
from ray_jobs.stage import Made, Stage

VERSION = "2"  # of what the steps do to a text


@dataclass(frozen=True)
class Task:
    """One partition to clean."""

    index: int
    partition: Partition
    source: str
    store: str
    config: CleanConfig
    filters: FilterConfig


@dataclass(frozen=True)
class Cleaned:
    """What a worker committed, and how many characters went in and came out."""

    partitions: list[Partition]
    kept: int
    empty: int
    steps: Counter[str]
    before: int
    after: int
    licences: Counter[str]
    masked: Counter[str]


def stage(line: Line, read: Manifest) -> Stage:
    """The stage of this recipe."""
    assert line.recipe.cleaning is not None
    config = {"clean": line.recipe.cleaning.model_dump(mode="json"), "mask": sorted(masked_kinds(line.recipe.filters))}
    return Stage("clean", config, {"read": read}, lambda store: _work(line, read, store), version=VERSION)


def _work(line: Line, read: Manifest, store: Store) -> Made:
    assert line.recipe.cleaning is not None
    source = line.folder.child("read").url
    parts = read.of("documents")
    tasks = [
        Task(index, item, source, store.url, line.recipe.cleaning, line.recipe.filters)
        for index, item in enumerate(parts)
    ]
    done = list(line.passes.map(clean_one, tasks))
    kept, empty = sum(part.kept for part in done), sum(part.empty for part in done)
    return Made(
        partitions=tuple(item for part in done for item in part.partitions),
        balance=Balance(taken=kept + empty, kept=kept, rejected=empty),
        reasons={"empty": empty} if empty else {},
        licences=sum((part.licences for part in done), Counter()),
        facts={"clean": _fact(done, kept + empty)} | _masked_fact(done),
        totals={"documents": kept},
    )


def clean_one(task: Task) -> Cleaned:
    """Clean a partition and commit it, the changes, and what was empty afterwards."""
    store = open_store(task.store)
    documents = read_partition(open_store(task.source), task.partition)
    cleaned, changes = clean_table(documents, task.config, masked_kinds(task.filters))
    filled = pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(cleaned["text"])), 0)
    kept, lost = cleaned.filter(filled), cleaned.filter(pc.invert(filled))
    written = [write_partition(store, "documents", task.index, kept)] if kept.num_rows else []
    if changes.num_rows:
        written.append(write_partition(store, "changes", task.index, changes))
    if lost.num_rows:
        written.append(write_partition(store, "rejected", task.index, _rejections(lost)))
    before, after = (int(pc.sum(pc.utf8_length(part["text"])).as_py() or 0) for part in (documents, kept))
    licences = Counter(kept["licence"].to_pylist())
    return Cleaned(
        written, kept.num_rows, lost.num_rows, step_counts(changes), before, after, licences, mask_counts(changes)
    )


def _rejections(lost: pa.Table) -> pa.Table:
    rows = zip(lost["id"].to_pylist(), lost["source"].to_pylist(), strict=True)
    return rejections_table(
        [Rejection(name, "clean", "empty", "nothing was left of it", source) for name, source in rows]
    )


def _fact(done: list[Cleaned], documents: int) -> Fact:
    steps = sum((part.steps for part in done), Counter())
    before, after = sum(part.before for part in done), sum(part.after for part in done)
    rows = [[name, count, round(count / max(1, documents), 3)] for name, count in steps.most_common()]
    return table(
        "What cleaning changed", ["step", "documents", "share"], rows,
        caption=f"{after / max(1, before):.1%} of {before:,} characters stayed. A second pass changes nothing.",
    )  # fmt: skip


def _masked_fact(done: list[Cleaned]) -> dict[str, Fact]:
    masked = sum((part.masked for part in done), Counter())
    steps = sum((part.steps for part in done), Counter())
    rows = [[kind, steps[f"mask.{kind}"], count] for kind, count in masked.most_common()]
    return {"masked": table("Sensitive text replaced", ["kind", "documents", "findings"], rows)} if rows else {}
