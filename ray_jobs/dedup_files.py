"""Copies on plain files: of documents, of the lines and paragraphs that many share, and of what is said."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import DOCUMENTS, Rejection
from corpus.errors import RecipeError
from corpus.ids import canonical
from corpus.readers import state_of
from corpus.resumable import clear, partition_index
from corpus.shards import Partition, committed_partition, read_partition, write_partition
from corpus.store import Store, open_store
from filters.config import DuplicatesConfig
from filters.dedup import begin_work, find_duplicates, s_curve
from filters.dedup_passes import Stored
from filters.planted_copies import Outcome, self_test
from filters.repeated_parts import Unit, find_shared, without_shared
from ray_jobs.passes import passes_for
from ray_jobs.plain_files import batches, unread
from ray_jobs.recipe import RunConfig
from ray_jobs.sink import sink

READ = "read.json"  # in the work folder: all files are read, and what of them could not be
PART_ROWS = 20_000
HOSTS = 20_000  # documents that copies are planted in


def dedup_files(files: Sequence[str], out: str | Path, threshold: float, field: str, workers: int = 0) -> list[str]:
    """Write the documents that are no copy of another one, and say what the index can find.

    Memory is bounded: what is read and what is worked out rests in `OUT.work` until `out` is written. The same command
    after a kill goes on from there.
    """
    config = DuplicatesConfig(threshold=threshold)
    work = open_store(f"{out}.work")
    begin_work(work, config, {"files": state_of(files), "field": field})
    documents, unread_rows = staged(files, field, work)
    run = passes_for(RunConfig(workers=workers)).map
    copies = find_duplicates([Stored(work, item) for item in documents], config, run, work)
    kept = _write_kept(work, documents, copies, out)
    cleared(work)
    return [
        f"{sum(item.rows for item in documents):,} documents, {kept:,} kept",
        *(f"{count:,} {kind} copies" for kind, count in Counter(copies["kind"].to_pylist()).items()),
        *_groups(copies),
        *_curve(config),
        *unread_rows,
    ]


def self_test_files(files: Sequence[str], threshold: float, pairs: int, field: str) -> list[str]:
    """Plant copies of known similarity into the documents of the files and say how many are found."""
    rejected: list[Rejection] = []
    texts: list[str] = []
    for table in batches(files, field, rejected):
        texts += table["text"].to_pylist()
        if len(texts) >= HOSTS:
            break
    config = DuplicatesConfig(threshold=threshold)
    return [*self_test_lines(self_test(texts[:HOSTS], config, pairs), config), *unread(rejected)]


def self_test_lines(found: Outcome, config: DuplicatesConfig) -> Iterator[str]:
    """A line for each class of similarity, and what was removed that should not be."""
    yield f"{'similarity':<12} {'planted':>7} {'found':>6} {'recall':>7}  95 % interval"
    for row in found.tallies:
        low, high = row.interval
        yield f"{row.low:.2f} to {row.high:.2f} {row.planted:>7,} {row.found:>6,} {row.found / row.planted:>7.2%}  {low:.2%} to {high:.2%}"
    yield f"{found.removed:,} of {found.documents:,} texts removed, {found.wrong:,} of them below {config.threshold:g}, {found.unlike:,} below 0.3"
    yield from _curve(config)


def staged(files: Sequence[str], field: str, work: Store) -> tuple[list[Partition], list[str]]:
    """The documents as partitions, and a line for each reason why rows could not be read."""
    if not work.exists(READ):
        there = {partition_index(name) for name in work.names("documents/")}
        rejected: list[Rejection] = []
        for index, table in enumerate(batches(files, field, rejected, PART_ROWS)):
            if index not in there:
                write_partition(work, "documents", index, table)
        work.commit(READ, canonical(unread(rejected)))
    parts = [committed_partition(work, name) for name in work.names("documents/")]
    told: list[str] = orjson.loads(work.read(READ))
    if not parts:
        raise nothing_to_read(told)
    return parts, told


def cleared(work: Store) -> None:
    """Nothing is left of a work folder."""
    clear(work)
    if work.local:
        shutil.rmtree(work.local, ignore_errors=True)


def _write_kept(work: Store, documents: Sequence[Partition], copies: pa.Table, out: str | Path) -> int:
    gone, kept = copies["id"].combine_chunks(), 0
    with sink(out) as file:
        for item in documents:
            table = read_partition(work, item)
            left = table.filter(pc.invert(pc.is_in(table["id"], value_set=gone)))
            file.write(left.cast(DOCUMENTS))
            kept += left.num_rows
    return kept


def shared_files(files: Sequence[str], out: str | Path, unit: Unit, field: str) -> list[str]:
    """Write the documents without the lines or paragraphs that three documents or more share; empty ones are left out.

    The files are read twice, a batch at a time; what is held is the hash of every part.
    """
    rejected: list[Rejection] = []
    shared = find_shared(batches(files, field, rejected), unit)
    documents = changed = characters = empty = 0
    with sink(out) as file:
        for batch in batches(files, field, []):
            table, lost = without_shared(batch, shared)
            filled = pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(table["text"])), 0)
            file.write(table.filter(filled).cast(DOCUMENTS))
            documents += table.num_rows
            changed += int((lost > 0).sum())
            characters += int(lost.sum())
            empty += int(pc.sum(pc.invert(filled)).as_py() or 0)
        if not documents:
            raise nothing_to_read(unread(rejected))
    return [
        f"{len(shared.hashes):,} {unit}s stand in three documents or more",
        f"{changed:,} of {documents:,} documents changed, {characters:,} characters went",
        f"{empty:,} documents had nothing else and are left out",
        *unread(rejected),
    ]


def nothing_to_read(told: Sequence[str]) -> RecipeError:
    """No document at all is an error, and the reasons are its hint."""
    return RecipeError("no readable document in these files", hint="; ".join(told[:3]))


def _groups(copies: pa.Table) -> Iterator[str]:
    """How many copies the most copied text has."""
    sizes = Counter(copies["kept_id"].to_pylist()).most_common(1)
    yield from (f"most copied: {name} with {count:,} copies" for name, count in sizes)


def _curve(config: DuplicatesConfig) -> Iterator[str]:
    """What the index is expected to propose; everything that it proposes is verified."""
    points = [
        f"{chance:.0%} at {value:.2f}"
        for value, chance in s_curve(config)
        if round(value * 100) in (60, 70, 80, 90, 95)
    ]
    yield f"pairs that {config.bands} bands of {config.rows} find, by their similarity: {', '.join(points)}"
