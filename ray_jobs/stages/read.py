"""read: documents of every source, with their tokens counted; what cannot be read is kept with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from corpus.config import SourceConfig
from corpus.document import Document, Rejection, documents_table, rejections_table
from corpus.facts import counts
from corpus.manifest import Balance
from corpus.readers import parts_of, read_source
from corpus.readers.files import Found
from corpus.shards import Partition, write_partition
from corpus.store import Store, open_store
from corpus.tokens import TokenCounter
from ray_jobs.line import Line
from ray_jobs.stage import Made, Stage
from ray_jobs.tombstones import forgotten_documents

SHARD_ROWS = 2000
SHARD_CHARACTERS = 32 << 20  # about: bounds memory where documents are long
SHARDS_A_PART = 100_000  # partition numbers that a part of a source owns


@dataclass(frozen=True)
class Task:
    """A source to read, or some of its files, by a worker that knows nothing else."""

    index: int
    name: str
    config: SourceConfig
    seed: int
    store: str
    forgotten: frozenset[str] = frozenset()
    files: tuple[Found, ...] = ()


@dataclass(frozen=True)
class Read:
    """What a worker committed."""

    partitions: list[Partition]
    rows: int
    rejected: int
    reasons: Counter[str]
    domains: Counter[str]
    licences: Counter[str]


def stage(line: Line) -> Stage:
    """The stage of this recipe."""
    config = {"sources": {name: item.model_dump(mode="json") for name, item in line.recipe.sources.items()}}
    config["seed"] = line.recipe.seed  # type: ignore[assignment]
    return Stage("read", config, {}, lambda store: _work(line, store))


def _work(line: Line, store: Store) -> Made:
    gone = forgotten_documents(line.folder)
    parts_by_name = [
        (name, config, part) for name, config in sorted(line.recipe.sources.items()) for part in parts_of(name, config)
    ]
    tasks = [
        Task(index, name, config, line.recipe.seed, store.url, gone, part)
        for index, (name, config, part) in enumerate(parts_by_name)
    ]
    parts = list(line.passes.map(read_one, tasks))
    rows, rejected = sum(part.rows for part in parts), sum(part.rejected for part in parts)
    domains = sum((part.domains for part in parts), Counter())
    return Made(
        partitions=tuple(item for part in parts for item in part.partitions),
        balance=Balance(made=rows + rejected, kept=rows, rejected=rejected),
        reasons=sum((part.reasons for part in parts), Counter()),
        licences=sum((part.licences for part in parts), Counter()),
        facts={"sources": counts("Documents read, by kind of text", domains, unit="documents")},
        totals={"documents": rows},
    )


def read_one(task: Task) -> Read:
    """Read a source, or its part, into partitions of the stage's store."""
    store = open_store(task.store)
    found = Read([], 0, 0, Counter(), Counter(), Counter())
    found_rows = read_source(task.name, task.config, seed=task.seed, files=task.files)
    rows = (row for row in found_rows if row.id not in task.forgotten)
    for number, batch in enumerate(_batches(rows)):
        found = _commit(store, task.index * SHARDS_A_PART + number, batch, found)
    return found


def _commit(store: Store, number: int, batch: list[Document | Rejection], found: Read) -> Read:
    kept = [row for row in batch if isinstance(row, Document)]
    rejected = [row for row in batch if isinstance(row, Rejection)]
    partitions = list(found.partitions)
    if kept:
        partitions.append(write_partition(store, "documents", number, documents_table(kept)))
    if rejected:
        partitions.append(write_partition(store, "rejected", number, rejections_table(rejected)))
    return Read(
        partitions, found.rows + len(kept), found.rejected + len(rejected),
        found.reasons + Counter(row.reason for row in rejected),
        found.domains + Counter(row.domain for row in kept),
        found.licences + Counter(row.licence for row in kept),
    )  # fmt: skip


def _batches(rows: Iterator[Document | Rejection]) -> Iterator[list[Document | Rejection]]:
    batch: list[Document | Rejection] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row.text) if isinstance(row, Document) else 0
        if len(batch) == SHARD_ROWS or size >= SHARD_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def with_tokens(table: pa.Table, counter: TokenCounter) -> pa.Table:
    """The table with its `tokens` column counted."""
    values = pa.array(counter.count(table["text"].to_pylist()), pa.int32())
    return table.set_column(table.schema.get_field_index("tokens"), "tokens", values)
