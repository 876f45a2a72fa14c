"""Exact and near duplicates: sign → buckets → candidates → exact Jaccard → decide.

MinHash only proposes; a pair counts when the exact Jaccard similarity of its shingle sets reaches the threshold. In a
component of such pairs the best text (highest priority, then smallest id) stays, and every other goes that resembles
one that stays. A text that hangs on by a chain of others, itself unlike all that stay, stays too. So each removal has
a similarity at or above the threshold, a second pass removes nothing, and the result is the same for any order, any
partitioning and any number of workers.

Each pass takes one part of the work at a time and commits what it makes of it, so memory does not grow with the texts
and a run that was killed goes on where it was. What is held is small: a byte for a text, about 100 for one that shares a
bucket, eight for a pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from corpus.resumable import Run, begin, folder_for, resumed
from corpus.shards import Partition, read_partition
from corpus.store import Store
from filters.candidates import Candidates, gather, involved, loads, members, pairs, shares
from filters.config import DuplicatesConfig
from filters.dedup_passes import GROUP_ROWS, Held, Load, Part, Wanted, sign_part, spill, verify
from filters.minhash import s_curve
from filters.segments import offsets_of
from filters.words import WORDS_VERSION

__all__ = ["DUPLICATES", "begin_work", "find_duplicates", "s_curve"]

DUPLICATES = pa.schema(
    [("id", pa.string()), ("kept_id", pa.string()), ("jaccard", pa.float32()), ("kind", pa.string())]
)


AT_ONCE = 1 << 16  # pairs
PASSES_VERSION = 1  # changes when a pass would make something else of the same documents


def find_duplicates(
    parts: Sequence[Part | pa.Table], config: DuplicatesConfig, run: Run = map, work: Store | None = None
) -> pa.Table:
    """Rows of schema `DUPLICATES`, sorted by id: each text that goes, the one that stays for it, their similarity.

    Parts have `id` and `text`, and `priority` if some texts are better than others. `run` maps the passes over parts,
    in this process or elsewhere. With `work`, a folder that `begin_work` has seen, a killed call goes on where it was.
    Without, it works in a temporary folder.
    """
    given = [Held(part) if isinstance(part, pa.Table) else part for part in parts]
    with folder_for(work) as folder:
        return _found(given, config, run, folder)


def begin_work(work: Store, config: DuplicatesConfig, documents: object) -> None:
    """Clear the folder, unless it was begun with the same documents (whatever names them) and settings."""
    plan = {"config": config.model_dump(mode="json"), "documents": documents}
    begin(work, {**plan, "versions": [WORDS_VERSION, PASSES_VERSION]})


def _found(parts: Sequence[Part], config: DuplicatesConfig, run: Run, work: Store) -> pa.Table:
    signed = resumed(work, "signed", partial(sign_part, config=config), parts, run)
    if not sum(item.rows for item in signed):
        return DUPLICATES.empty_table()
    cut = shares(sum(item.rows for item in signed), config.bands)
    buckets = resumed(work, "buckets", partial(members, store=work, signed=signed), cut, run)
    candidates = gather(work, signed, buckets)
    if not len(candidates):
        return DUPLICATES.empty_table()
    todo = list(loads(pairs(work, buckets, candidates, config.bucket), candidates))
    wanted = _wanted(parts, signed, candidates, *involved(todo))
    spilled = resumed(work, "shingles", partial(spill, config=config), wanted, run, GROUP_ROWS)
    check = partial(verify, store=work, spilled=spilled, threshold=config.threshold)
    verified = resumed(work, "verified", check, [Load(*item) for item in enumerate(todo)], run)
    return _told(candidates, *_decide(work, verified, candidates))


def _wanted(
    parts: Sequence[Part], signed: Sequence[Partition], candidates: Candidates, numbers: np.ndarray, texts: np.ndarray
) -> list[Wanted]:
    """What of each part is to be spilled."""
    ends = offsets_of(np.array([item.rows for item in signed], np.int64))
    rows = candidates.rows[texts]
    cuts = np.searchsorted(rows, ends)
    spans = [slice(cuts[n], cuts[n + 1]) for n in range(len(parts))]
    return [Wanted(part, rows[span] - begin, texts[span], numbers[span])
            for part, begin, span in zip(parts, ends[:-1], spans, strict=True)]  # fmt: skip


def _decide(work: Store, verified: Iterable[Partition], candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    """For each candidate the one that stays for it (itself, if it stays) and their similarity.

    The best text decides first; whether a text stays depends only on better ones.
    """
    kept, value = np.arange(len(candidates)), np.ones(len(candidates))
    stays = bytearray(b"\1") * len(candidates)
    for better, other, alike in _by_rank([read_partition(work, item) for item in verified], candidates.rank):
        if stays[better] and stays[other]:
            stays[other] = 0
            kept[other], value[other] = better, alike
    return kept, value


def _by_rank(tables: Sequence[pa.Table], rank: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Verified pairs in the order of the worse text, then of the better."""
    if not tables:
        return
    table = pa.concat_tables(tables)
    better, other, alike = (table[name].to_numpy() for name in ("better", "other", "jaccard"))
    order = np.lexsort((rank[better], rank[other]))
    for start in range(0, len(order), AT_ONCE):
        rows = order[start : start + AT_ONCE]
        yield from zip(better[rows].tolist(), other[rows].tolist(), alike[rows].tolist(), strict=True)


def _told(candidates: Candidates, kept: np.ndarray, value: np.ndarray) -> pa.Table:
    """A copy goes with its original: when that one resembles a better text, both do."""
    first, own = candidates.first, np.arange(len(candidates))
    kept, value = kept[first], value[first]
    gone = np.flatnonzero(kept != own)
    kinds = np.where((first != own)[gone], "exact", "near")
    columns = [candidates.ids.take(pa.array(gone)), candidates.ids.take(pa.array(kept[gone])),
               pa.array(value[gone], pa.float32()), pa.array(kinds.tolist(), pa.string())]  # fmt: skip
    return pa.table(columns, schema=DUPLICATES).sort_by("id")
