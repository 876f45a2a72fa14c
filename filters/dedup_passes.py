"""The passes of deduplication that read text, and the one that compares shingles: each from one item to one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from corpus.shards import Partition, read_partition
from corpus.store import Store
from filters.batch import slices, text_series
from filters.candidates import EXACT, column_of
from filters.config import DuplicatesConfig
from filters.minhash import jaccard, shingle_sets, sign
from filters.segments import offsets_of
from filters.spilled import rows_between

SIGN_BYTES = 1 << 19  # text signed at a time: its words and shingles stay in the processor's cache
GROUP_ROWS = 1024  # of a spilled partition: what is read at least
SPILLED = pa.schema([("load", pa.int32()), ("text", pa.int64()), ("shingles", pa.large_list(pa.uint64()))])
VERIFIED = pa.schema([("better", pa.int64()), ("other", pa.int64()), ("jaccard", pa.float64())])


class Part(Protocol):
    """Some of the documents: columns `id` and `text`, and `priority` where some are better than others."""

    def read(self) -> pa.Table:
        """All rows, always the same."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """A table in memory."""

    table: pa.Table

    def read(self) -> pa.Table:
        """The table."""
        return self.table


@dataclass(frozen=True, slots=True)
class Stored:
    """A committed partition, read when it is needed."""

    store: Store
    partition: Partition

    def read(self) -> pa.Table:
        """Its rows; raises `StateError` when they are not the committed ones."""
        return read_partition(self.store, self.partition, ["id", "text"])


def sign_part(part: Part, config: DuplicatesConfig) -> pa.Table:
    """`id`, `priority`, `shingles` (how many), two halves of the exact digest, and a key for each band."""
    table = part.read()
    signed = [sign(text_series(piece), config) for piece in slices(table, SIGN_BYTES)]
    exact = np.frombuffer(b"".join([digest for piece in signed for digest in piece.exact]), "<u8").reshape(-1, 2)
    bands = np.concatenate([piece.bands for piece in signed] or [np.zeros((0, config.bands), np.uint64)])
    counts = np.concatenate([piece.shingles for piece in signed] or [np.zeros(0, np.int64)])
    columns = {
        "id": table["id"].cast(pa.string()),
        "priority": _priority(table),
        "shingles": counts.astype(np.int32),
        column_of(EXACT): exact[:, 0],
        "exact_rest": exact[:, 1],
    }
    return pa.table(columns | {column_of(band): bands[:, band] for band in range(config.bands)})


def _priority(table: pa.Table) -> pa.Array | pa.ChunkedArray:
    given = "priority" in table.column_names
    return table["priority"].cast(pa.float64()) if given else pa.array(np.zeros(table.num_rows))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows of a part whose shingles are needed: their numbers as candidates, and the load that needs them."""

    part: Part
    rows: np.ndarray
    texts: np.ndarray
    loads: np.ndarray


def spill(wanted: Wanted, config: DuplicatesConfig) -> pa.Table:
    """Their shingle sets, those of one load together."""
    if not len(wanted.rows):
        return SPILLED.empty_table()
    rows, again = np.unique(wanted.rows, return_inverse=True)
    chosen = wanted.part.read().select(["text"]).take(pa.array(rows))
    sets = [found for piece in slices(chosen, SIGN_BYTES) for found in shingle_sets(text_series(piece), config)]
    order = np.argsort(wanted.loads, kind="stable")
    picked = [sets[place] for place in again[order]]
    lists = pa.LargeListArray.from_arrays(
        pa.array(offsets_of(np.array([len(grams) for grams in picked], np.int64))), pa.array(np.concatenate(picked))
    )
    columns = [pa.array(wanted.loads[order].astype(np.int32)), pa.array(wanted.texts[order]), lists]
    return pa.table(columns, schema=SPILLED)


@dataclass(frozen=True, slots=True)
class Load:
    """Pairs (m × 2) to be verified, and where the shingles of their texts lie."""

    number: int
    pairs: np.ndarray


def verify(load: Load, store: Store, spilled: Sequence[Partition], threshold: float) -> pa.Table:
    """The pairs whose exact similarity reaches the threshold."""
    sets: dict[int, np.ndarray] = {}
    for table in rows_between(store, spilled, load.number, load.number + 1):
        sets |= zip(table["text"].to_pylist(), map(_values, table["shingles"]), strict=True)
    values = np.array([_similar(sets[a], sets[b], threshold) for a, b in load.pairs.tolist()])
    same = values >= threshold
    return pa.table([load.pairs[same, 0], load.pairs[same, 1], values[same]], schema=VERIFIED)


def _values(row: pa.LargeListScalar) -> np.ndarray:
    return row.values.to_numpy()


def _similar(a: np.ndarray, b: np.ndarray, threshold: float) -> float:
    """Jaccard similarity, or 0 where the sizes alone rule the threshold out."""
    low, high = sorted((len(a), len(b)))
    return jaccard(a, b) if low >= threshold * high else 0.0
