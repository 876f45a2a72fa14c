"""Exact and near duplicates: sign → bands → candidates → exact Jaccard → components → decide.

MinHash only proposes; a pair counts when the exact Jaccard similarity of its shingle sets reaches the threshold. In a
component of such pairs the best text (highest priority, then smallest id) stays, and every other goes that resembles
one that stays. A text that hangs on by a chain of others, itself unlike all that stay, stays too. So each removal has
a similarity at or above the threshold, a second pass removes nothing, and the result is the same for any order, any
partitioning and any number of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.batch import slices, text_series
from filters.components import components, linked
from filters.config import DuplicatesConfig
from filters.minhash import Signatures, jaccard, s_curve, shingle_sets, sign

__all__ = ["DUPLICATES", "find_duplicates", "s_curve"]

DUPLICATES = pa.schema(
    [("id", pa.string()), ("kept_id", pa.string()), ("jaccard", pa.float32()), ("kind", pa.string())]
)
SIGN_BYTES = 2 << 20  # text signed at a time: its words and shingles stay in the processor's cache
Run = Callable[..., Iterable[Any]]


def find_duplicates(
    tables: Sequence[pa.Table],
    config: DuplicatesConfig,
    priority: Callable[[pa.Table], Sequence[float]] = lambda table: [0.0] * table.num_rows,
    run: Run = map,
) -> pa.Table:
    """Rows of schema `DUPLICATES`, sorted by id: each text that goes, the one that stays for it, their similarity.

    `tables` have `id` and `text`; `run` maps the two passes that read text (signing, verifying) over them, in this
    process or elsewhere. Between those passes a text costs 8 bytes a band; verifying holds the candidates' shingles.
    """
    if not sum(table.num_rows for table in tables):
        return DUPLICATES.empty_table()
    ids = pa.concat_arrays([table["id"].cast(pa.string()).combine_chunks() for table in tables])
    rank = _ranks(ids, np.concatenate([np.asarray(priority(table), dtype=float) for table in tables]))
    signed = _joined(list(run(partial(sign_table, config=config), tables)))
    first = _first_of_equals(signed.exact, rank)
    alone = np.flatnonzero((signed.shingles > 0) & (first == np.arange(len(first))))
    pairs = alone[linked(signed.bands[alone], rank[alone], config.bucket)]
    kept, value = _decide(*_verified(pairs, tables, config, run), rank, len(rank))
    # A copy goes with its original: when that one resembles a better text, both do.
    copied = first != np.arange(len(first))
    kept, value = kept[first], value[first]
    gone = np.flatnonzero(kept != np.arange(len(kept)))
    kinds = np.where(copied[gone], "exact", "near")
    columns = [ids.take(gone), ids.take(kept[gone]), pa.array(value[gone], pa.float32()), pa.array(kinds.tolist())]
    return pa.table(columns, schema=DUPLICATES).sort_by("id")


def sign_table(table: pa.Table, config: DuplicatesConfig) -> Signatures:
    """Signatures of one table: the first pass."""
    return _joined([sign(text_series(part), config) for part in slices(table, SIGN_BYTES)], config.bands)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A table, and the rows in it whose shingles are needed."""

    table: pa.Table
    rows: np.ndarray


def read_shingles(wanted: Wanted, config: DuplicatesConfig) -> list[np.ndarray]:
    """Shingle sets of the wanted rows: the second pass."""
    chosen = wanted.table.select(["text"]).take(pa.array(wanted.rows))
    return [found for part in slices(chosen, SIGN_BYTES) for found in shingle_sets(text_series(part), config)]


def _joined(parts: Sequence[Signatures], bands: int = 0) -> Signatures:
    if not parts:
        return Signatures(np.zeros(0, object), np.zeros((0, bands), np.uint64), np.zeros(0, np.int64))
    return Signatures(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("exact", "bands", "shingles"))
    )


def _ranks(ids: pa.Array, priority: np.ndarray) -> np.ndarray:
    """The place of each text when the best comes first: highest priority, then smallest id."""
    order = pc.sort_indices(
        pa.table({"priority": priority, "id": ids}), sort_keys=[("priority", "descending"), ("id", "ascending")]
    ).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank


def _first_of_equals(exact: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """For each text the best one with the same normalised text, itself if there is no other."""
    groups = pa.array(exact, pa.binary()).dictionary_encode().indices.to_numpy()
    order = np.lexsort((rank, groups))
    starts = np.r_[True, groups[order][1:] != groups[order][:-1]]
    first = np.empty(len(exact), dtype=np.int64)
    first[order] = order[np.flatnonzero(starts)[np.cumsum(starts) - 1]]
    return first


def _verified(
    pairs: np.ndarray, tables: Sequence[pa.Table], config: DuplicatesConfig, run: Run
) -> tuple[np.ndarray, np.ndarray]:
    """The pairs whose exact similarity reaches the threshold, and that similarity."""
    needed = np.unique(pairs)
    ends = np.cumsum([table.num_rows for table in tables])
    starts = ends - [table.num_rows for table in tables]
    shares = [needed[(needed >= low) & (needed < high)] - low for low, high in zip(starts, ends, strict=True)]
    wanted = [Wanted(table, rows) for table, rows in zip(tables, shares, strict=True) if len(rows)]
    found = [item for part in run(partial(read_shingles, config=config), wanted) for item in part]
    sets: Mapping[int, np.ndarray] = dict(zip(needed.tolist(), found, strict=True))
    values = np.array([jaccard(sets[a], sets[b]) for a, b in pairs.tolist()], dtype=np.float64)
    same = values >= config.threshold
    return pairs[same], values[same]


def _decide(pairs: np.ndarray, values: np.ndarray, rank: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """For each text the one that stays for it (itself, if it stays) and their similarity.

    Components are independent of each other; within one, the best text decides first.
    """
    kept, value = np.arange(size), np.ones(size)
    labels = components(pairs, size)
    for members in _by_component(pairs, labels):
        better: dict[int, list[tuple[int, float]]] = {}
        for row in members:
            winner, other = sorted(pairs[row].tolist(), key=rank.__getitem__)
            better.setdefault(other, []).append((winner, float(values[row])))
        for other in sorted(better, key=rank.__getitem__):
            staying = [(winner, alike) for winner, alike in better[other] if kept[winner] == winner]
            if staying:
                kept[other], value[other] = min(staying, key=lambda item: rank[item[0]])
    return kept, value


def _by_component(pairs: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Row numbers of the pairs, one array a component."""
    if not len(pairs):
        return []
    groups = labels[pairs[:, 0]]
    order = np.argsort(groups, kind="stable")
    cuts = np.flatnonzero(groups[order][1:] != groups[order][:-1]) + 1
    return np.split(order, cuts)
