"""Exact and near duplicates: sign → bands → candidates → exact Jaccard → components → decide.

MinHash only proposes; a pair counts when the exact Jaccard similarity of its shingle sets reaches the threshold. The
winner of a component is the highest priority, then the smallest id, so the result is the same for any order, any
partitioning and any number of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash

from filters.config import DuplicatesConfig
from filters.words import rolling, split

SEED = 42
DUPLICATES = pa.schema(
    [("id", pa.string()), ("kept_id", pa.string()), ("jaccard", pa.float32()), ("kind", pa.string())]
)


@dataclass(frozen=True)
class Signed:
    """Signatures of n texts. Short texts (fewer words than a shingle) have no shingles and only match exactly."""

    exact: list[int]  # xxh3-64 over the text with its white space folded and its case lowered
    digests: np.ndarray  # uint32, n × permutations
    shingles: list[np.ndarray]  # sorted distinct uint64 a text


def sign(texts: pa.ChunkedArray | pa.Array, config: DuplicatesConfig) -> Signed:
    """Signatures of a shard."""
    from rensa import RMinHash

    grams, starts = rolling(split(texts), config.shingle)
    exact = [xxhash.xxh3_64_intdigest(" ".join(str(text).lower().split()).encode()) for text in texts.to_pylist()]
    digests = RMinHash.digest_matrix_from_flat_token_hashes(
        grams, starts.astype(np.uint64), config.bands * config.rows, SEED
    )
    pieces = [np.unique(grams[a:b]) for a, b in zip(starts[:-1], starts[1:], strict=True)]
    rows = np.array(digests.to_rows(), dtype=np.uint32).reshape(len(exact), config.bands * config.rows)
    return Signed(exact, rows, pieces)


def find_duplicates(
    tables: Sequence[pa.Table],
    config: DuplicatesConfig,
    priority: Callable[[pa.Table], Sequence[float]],
    run: Callable[..., Iterable[Any]] = map,
) -> pa.Table:
    """Rows of schema `DUPLICATES`, one for each text that is not the winner of its component.

    `tables` have `id` and `text`; `run` maps `sign` over them, in this process or elsewhere.
    """
    ids = [row for table in tables for row in table["id"].to_pylist()]
    rank = [value for table in tables for value in priority(table)]
    signed = list(run(_sign_with(config), [table["text"] for table in tables]))
    if not ids:
        return DUPLICATES.empty_table()
    exact = [value for part in signed for value in part.exact]
    shingles = [value for part in signed for value in part.shingles]
    order = sorted(range(len(ids)), key=lambda index: (-rank[index], ids[index]))
    near = _verified(_candidates(np.concatenate([part.digests for part in signed]), shingles, config), shingles, config)
    edges = [(a, b, 1.0, "exact") for a, b in _exact_pairs(exact, order)] + [
        (a, b, value, "near") for a, b, value in near
    ]
    return _decided(ids, order, edges)


def _sign_with(config: DuplicatesConfig) -> Callable[[pa.ChunkedArray], Signed]:
    from functools import partial

    return partial(sign, config=config)


def _exact_pairs(exact: Sequence[int], order: Sequence[int]) -> Iterator[tuple[int, int]]:
    first: dict[int, int] = {}
    for index in order:
        if (winner := first.setdefault(exact[index], index)) != index:
            yield winner, index


def _candidates(digests: np.ndarray, shingles: list[np.ndarray], config: DuplicatesConfig) -> set[tuple[int, int]]:
    """Pairs that share a band. A bucket links every member to its neighbours in it, so a giant one stays linear."""
    rows = np.flatnonzero([len(item) > 0 for item in shingles])
    pairs: set[tuple[int, int]] = set()
    for band in range(config.bands):
        part = np.ascontiguousarray(digests[rows, band * config.rows : (band + 1) * config.rows])
        keys = part.view(np.dtype((np.void, part.dtype.itemsize * config.rows))).ravel()
        _, group = np.unique(keys, return_inverse=True)
        by_group = np.argsort(group, kind="stable")
        same = group[by_group][1:] == group[by_group][:-1]
        left, right = rows[by_group[:-1][same]], rows[by_group[1:][same]]
        heads = _bucket_heads(group[by_group], rows[by_group])[1:][same]
        pairs.update(zip(left.tolist(), right.tolist(), strict=True))
        pairs.update(
            (head, member) for head, member in zip(heads.tolist(), right.tolist(), strict=True) if head != member
        )
    return pairs


def _bucket_heads(groups: np.ndarray, members: np.ndarray) -> np.ndarray:
    """For each member of the sorted buckets, the first member of its bucket."""
    starts = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
    return members[np.repeat(starts, np.diff(np.concatenate([starts, [len(groups)]])))]


def _verified(
    pairs: Iterable[tuple[int, int]], shingles: list[np.ndarray], config: DuplicatesConfig
) -> list[tuple[int, int, float]]:
    found = ((a, b, jaccard(shingles[a], shingles[b])) for a, b in sorted(pairs))
    return [(a, b, value) for a, b, value in found if value >= config.threshold]


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Exact Jaccard similarity of two sorted sets; 0 for two empty ones."""
    common = len(np.intersect1d(a, b, assume_unique=True))
    total = len(a) + len(b) - common
    return common / total if total else 0.0


def _decided(ids: list[str], order: list[int], edges: list[tuple[int, int, float, str]]) -> pa.Table:
    parent = list(range(len(ids)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    place = {index: rank for rank, index in enumerate(order)}
    best: dict[int, tuple[float, str]] = {}
    for a, b, value, kind in edges:
        winner, loser = sorted((root(a), root(b)), key=place.__getitem__)
        parent[loser] = winner
        for index in (a, b):
            best[index] = max(best.get(index, (0.0, "")), (value, kind), key=lambda item: item[0])
    losers = [index for index in range(len(ids)) if root(index) != index]
    rows = [{"id": ids[i], "kept_id": ids[root(i)], "jaccard": best[i][0], "kind": best[i][1]} for i in losers]
    return pa.Table.from_pylist(sorted(rows, key=lambda row: row["id"]), schema=DUPLICATES)


def s_curve(config: DuplicatesConfig) -> list[tuple[float, float]]:
    """(similarity, probability that the index proposes the pair), from 0 to 1 in steps of .05."""
    points = [step / 20 for step in range(21)]
    return [(value, 1 - (1 - value**config.rows) ** config.bands) for value in points]
