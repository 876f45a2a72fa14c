"""Which texts may repeat each other: members of shared buckets, their ranks, and the pairs that are to be verified.

All of it is small beside the texts: about 100 bytes for a text that shares a bucket, eight for a pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.shards import Partition, read_partition
from corpus.store import Store
from filters.components import components, pairs_of
from filters.segments import offsets_of

EXACT = -1  # the number of the key that is no band: the first eight bytes of the exact digest
KEYS_AT_ONCE = 4 << 20  # sorted in one piece: about 200 MB
SHINGLES_AT_ONCE = 12 << 20  # of the texts whose pairs are verified in one piece: about 200 MB
PAIRS_AT_ONCE = 100_000
LOW = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Share:
    """Some of the keys of all texts: those of `columns`, whose hash falls into one of `parts` equal ranges."""

    columns: tuple[int, ...]
    part: int
    parts: int


def shares(texts: int, bands: int) -> list[Share]:
    """Cut the keys of so many texts into shares that can be sorted at once."""
    parts = -(-texts // KEYS_AT_ONCE) or 1
    each = max(1, KEYS_AT_ONCE // max(texts, 1))
    columns = (EXACT, *range(bands))
    groups = [columns[start : start + each] for start in range(0, len(columns), each)]
    return [Share(group, part, parts) for group in groups for part in range(parts)]


def members(share: Share, store: Store, signed: Sequence[Partition]) -> pa.Table:
    """Rows `column`, `key`, `row` of the texts that have a key in common with another text; `row` counts all texts."""
    names = [column_of(column) for column in share.columns]
    found: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in names]
    begin = 0
    for item in signed:
        table = read_partition(store, item, [*names, "shingles"])
        shingled = table["shingles"].to_numpy() > 0
        for place, column in enumerate(share.columns):
            keys = table[names[place]].to_numpy()
            wanted = shingled | (column == EXACT)
            if share.parts > 1:
                wanted &= (keys % np.uint64(share.parts)) == share.part
            rows = np.flatnonzero(wanted)
            found[place].append((keys[rows], rows + begin))
        begin += item.rows
    tables = [_shared(column, *map(np.concatenate, zip(*parts, strict=True)))
              for column, parts in zip(share.columns, found, strict=True)]  # fmt: skip
    return pa.concat_tables(tables)


def column_of(number: int) -> str:
    """The column of a signed partition."""
    return "exact" if number == EXACT else f"band{number:02}"


def _shared(column: int, keys: np.ndarray, rows: np.ndarray) -> pa.Table:
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    same = keys[1:] == keys[:-1]
    shared = np.r_[False, same] | np.r_[same, False] if len(keys) else same
    columns = [np.full(int(shared.sum()), column, np.int16), keys[shared], rows[order][shared]]
    return pa.table(columns, ["column", "key", "row"])


@dataclass(frozen=True, slots=True)
class Candidates:
    """The c texts that share a key with another one, in reading order."""

    rows: np.ndarray  # int64 [c], sorted: their places among all texts
    ids: pa.Array  # string [c]
    rank: np.ndarray  # int64 [c]: 0 is the best, the highest priority, then the smallest id
    first: np.ndarray  # int64 [c]: the best candidate with the same normalised text, itself if there is no other
    shingles: np.ndarray  # int64 [c]

    def __len__(self) -> int:
        return len(self.rows)


def gather(store: Store, signed: Sequence[Partition], buckets: Sequence[Partition]) -> Candidates:
    """The candidates that the buckets name."""
    ends = offsets_of(np.array([item.rows for item in signed], np.int64))
    marked = np.zeros(ends[-1], bool)
    for item in buckets:
        marked[read_partition(store, item, ["row"])["row"].to_numpy()] = True
    rows = np.flatnonzero(marked)
    cuts = np.searchsorted(rows, ends)
    tables = [
        read_partition(store, item, ["id", "priority", "exact", "exact_rest", "shingles"]).take(
            pa.array(rows[cuts[n] : cuts[n + 1]] - ends[n])
        )
        for n, item in enumerate(signed)
    ]
    table = pa.concat_tables(tables).combine_chunks()
    order = pc.sort_indices(table, sort_keys=[("priority", "descending"), ("id", "ascending")]).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    first = _first_of_equals(table["exact"].to_numpy(), table["exact_rest"].to_numpy(), rank)
    return Candidates(rows, table["id"].combine_chunks(), rank, first, table["shingles"].to_numpy().astype(np.int64))


def _first_of_equals(exact: np.ndarray, rest: np.ndarray, rank: np.ndarray) -> np.ndarray:
    order = np.lexsort((rank, rest, exact))
    a, b = exact[order], rest[order]
    starts = np.r_[True, (a[1:] != a[:-1]) | (b[1:] != b[:-1])] if len(order) else np.zeros(0, bool)
    first = np.empty(len(exact), dtype=np.int64)
    first[order] = order[np.flatnonzero(starts)[np.cumsum(starts) - 1]]
    return first


def pairs(store: Store, buckets: Sequence[Partition], candidates: Candidates, bucket: int) -> np.ndarray:
    """Pairs of candidates (m × 2, int64) that share a band, each once; exact copies are stood for by the best of them."""
    alone = (candidates.first == np.arange(len(candidates))) & (candidates.shingles > 0)
    codes = np.zeros(0, np.uint64)
    for table in (read_partition(store, item) for item in buckets):
        for column in np.unique(table["column"].to_numpy()):
            part = table.filter(pc.equal(table["column"], pa.scalar(column, pa.int16())))
            places = np.searchsorted(candidates.rows, part["row"].to_numpy())
            wanted = alone[places] & (column != EXACT)
            places, keys = places[wanted], part["key"].to_numpy()[wanted]
            made = places[pairs_of(keys, candidates.rank[places], bucket)].astype(np.uint64)
            codes = np.union1d(codes, made[:, 0] << np.uint64(32) | made[:, 1])
    return np.stack([codes >> np.uint64(32), codes & LOW], axis=1).astype(np.int64)


def loads(pairs: np.ndarray, candidates: Candidates) -> Iterator[np.ndarray]:
    """The pairs in loads that are verified at once: a component stays together as far as it fits."""
    labels = components(pairs, len(candidates))
    pairs = pairs[np.argsort(labels[pairs[:, 0]], kind="stable")]
    _, at = np.unique(pairs, return_index=True)
    weight = np.zeros(2 * len(pairs), np.int64)  # of the texts that a pair is the first to name
    weight[at] = candidates.shingles[pairs.ravel()[at]]
    heavy = np.cumsum(weight.reshape(-1, 2).sum(axis=1)) // SHINGLES_AT_ONCE
    cuts = np.flatnonzero(np.diff(heavy + np.arange(len(pairs)) // PAIRS_AT_ONCE)) + 1
    yield from (part for part in np.split(pairs, cuts) if len(part))


def involved(loads: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(load, candidate) of every text that a load needs, sorted by candidate, then by load."""
    needed = [(number, np.unique(part)) for number, part in enumerate(loads)]
    numbers = np.concatenate([np.full(len(part), number) for number, part in needed] or [np.zeros(0, np.int64)])
    texts = np.concatenate([part for _, part in needed] or [np.zeros(0, np.int64)])
    order = np.lexsort((numbers, texts))
    return numbers[order], texts[order]
