"""Passages that stand a second time, taken out of plain files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import DOCUMENTS
from corpus.readers import state_of
from corpus.shards import Partition, read_partition
from corpus.store import Store, open_store
from filters.dedup_passes import Stored
from filters.passage_cuts import without_passages
from filters.passages import begin_passages, find_passages
from ray_jobs.dedup_files import cleared, staged
from ray_jobs.passes import passes_for
from ray_jobs.recipe import RunConfig
from ray_jobs.sink import sink


@dataclass(slots=True)
class Counts:
    """What became of the documents, in documents and characters."""

    documents: int = 0
    changed: int = 0
    empty: int = 0
    pieces: int = 0
    characters: int = 0
    gone: int = 0


def passages_files(files: Sequence[str], out: str | Path, least: int, field: str, workers: int = 0) -> list[str]:
    """Write the documents without the passages that stand earlier, and beside them `record_of(out)`, every cut.

    Memory is bounded; what is worked out rests in `OUT.work`, and the same command after a kill goes on from there.
    """
    work = open_store(f"{out}.work")
    begin_passages(work, least, {"files": state_of(files), "field": field})
    documents, unread_rows = staged(files, field, work)
    run = passes_for(RunConfig(workers=workers)).map
    runs = find_passages([Stored(work, item) for item in documents], least, run, work)
    counts = _write(work, documents, runs, out)
    cleared(work)
    return [*_told(counts, least), f"every cut is in {record_of(out)}", *unread_rows]


def record_of(out: str | Path) -> str:
    """Where the record of the cuts is written: unique.parquet → unique.cuts.parquet."""
    return f"{str(out).removesuffix('.parquet')}.cuts.parquet"


def _write(work: Store, documents: Sequence[Partition], runs: pa.Table, out: str | Path) -> Counts:
    counts, ids = Counts(), _ids(work, documents, runs)
    cuts = np.searchsorted(runs["text"].to_numpy(), np.arange(len(documents) + 1, dtype=np.int64) << 32)
    with sink(out) as file, sink(record_of(out)) as record:
        for number, item in enumerate(documents):
            table = read_partition(work, item)
            left, cut = without_passages(
                table, runs.slice(cuts[number], cuts[number + 1] - cuts[number]), number << 32, ids
            )
            file.write(left.cast(DOCUMENTS))
            record.write(cut)
            _count(counts, table, left, cut)
    return counts


def _ids(work: Store, documents: Sequence[Partition], runs: pa.Table) -> dict[int, str]:
    """The ids of the texts that keep a passage."""
    names = np.unique(runs["kept_text"].to_numpy())
    found: dict[int, str] = {}
    for number, item in enumerate(documents):
        own = names[(names >> 32) == number]
        if len(own):
            column = read_partition(work, item, ["id"])["id"].take(pa.array(own - (number << 32)))
            found |= zip(own.tolist(), column.to_pylist(), strict=True)
    return found


def _count(counts: Counts, table: pa.Table, left: pa.Table, cut: pa.Table) -> None:
    counts.documents += table.num_rows
    counts.empty += table.num_rows - left.num_rows
    counts.changed += len(cut["id"].unique())
    counts.pieces += cut.num_rows
    counts.characters += pc.sum(pc.utf8_length(table["text"])).as_py() or 0
    counts.gone += pc.sum(pc.subtract(cut["end"], cut["start"])).as_py() or 0


def _told(counts: Counts, least: int) -> Iterator[str]:
    yield f"{counts.pieces:,} passages of {least} words or more stand earlier"
    yield f"{counts.changed:,} of {counts.documents:,} documents changed, {counts.gone:,} of {counts.characters:,} characters went"
    yield f"{counts.empty:,} documents had nothing else and are left out"
