"""Texts of plain files that say what another one says: near in meaning."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import DOCUMENTS
from corpus.readers import state_of
from corpus.resumable import begin
from corpus.shards import Partition, read_partition
from corpus.store import Store, open_store
from filters.batch import slices, text_series
from filters.semantic import Nearest, nearest_better, repeats, shares
from filters.stored_vectors import stored_vectors
from ray_jobs.dedup_files import cleared, staged
from ray_jobs.sink import sink

COUNTED_BYTES = 16 << 20  # of text whose words are counted at a time


def retellings_files(files: Sequence[str], out: str | Path, threshold: float, field: str) -> list[str]:
    """Write the documents that are not too near another one in meaning, and what other thresholds would take.

    Texts rest in `OUT.work`, and vectors beside them while they are compared; about 100 bytes a document are held.
    """
    work = open_store(f"{out}.work")
    begin(work, {"meaning": {"files": state_of(files), "field": field}})
    documents, unread_rows = staged(files, field, work)
    with tempfile.TemporaryDirectory(prefix="vectors-", dir=work.local) as folder:
        vectors = stored_vectors(_texts(work, documents), Path(folder))
        found = nearest_better(vectors, _rank(work, documents))
    gone = repeats(found, threshold)
    _write_kept(work, documents, gone, out)
    cleared(work)
    return [f"{len(gone):,} documents, {int((~gone).sum()):,} kept at {threshold:g}", _told(found), *unread_rows]


def _texts(work: Store, documents: Sequence[Partition]) -> Iterator[pl.Series]:
    for item in documents:
        for piece in slices(read_partition(work, item, ["text"]), COUNTED_BYTES):
            yield text_series(piece)


def _rank(work: Store, documents: Sequence[Partition]) -> np.ndarray:
    """The place of each document in the order of the ids, int64: the smallest is the best."""
    ids = pa.chunked_array([chunk for item in documents for chunk in read_partition(work, item, ["id"])["id"].chunks])
    rank = np.empty(len(ids), np.int64)
    rank[pc.sort_indices(ids).to_numpy()] = np.arange(len(ids))
    return rank


def _write_kept(work: Store, documents: Sequence[Partition], gone: np.ndarray, out: str | Path) -> None:
    start = 0
    with sink(out) as file:
        for item in documents:
            kept = pa.array(~gone[start : start + item.rows])
            file.write(read_partition(work, item).filter(kept).cast(DOCUMENTS))
            start += item.rows


def _told(found: Nearest) -> str:
    return "would go: " + ", ".join(f"{share:.1%} at {value:g}" for value, share in shares(found))
