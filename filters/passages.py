"""Passages: runs of at least `least` words that stand a second time, whatever lines and paragraphs are around them.

A word goes when it lies in a window of `least` words that stands earlier, in a text before or in the same text with no
word in common. So the first of all stays, nothing is lost to the corpus, and what goes depends on the order of the texts
alone: not on how they are cut into parts, not on the number of workers (Lee et al. 2022, 2107.06499, who take 50 tokens).

Winnowed hashes say where an equal window may lie; all windows there are hashed, sorted and joined to runs; and each run
is compared word by word with the earlier one. Every pass commits what it makes, so memory does not grow with the texts
and a killed run goes on where it was. What is held is 36 bytes a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import polars as pl
import pyarrow as pa

from corpus.resumable import Run, begin, folder_for, resumed
from corpus.shards import Partition, read_partition
from corpus.store import Store
from filters.dedup_passes import Held, Part
from filters.passage_passes import (
    RUNS,
    Load,
    Numbered,
    Pieces,
    Share,
    copies_of,
    hashed_windows,
    runs_of,
    sampled,
    shared_places,
    spoken,
    verified,
)
from filters.words import WORDS_VERSION

LEAST = 50  # words of a passage (Lee et al. 2022: tokens)
HASHES_AT_ONCE = 2 << 20  # sorted in one piece: about 200 MB
WORDS_AT_ONCE = 2 << 20  # compared in one piece
GROUP_ROWS = 1 << 16
PASSES_VERSION = 1  # changes when a pass would make something else of the same documents


def find_passages(
    parts: Sequence[Part | pa.Table], least: int = LEAST, run: Run = map, work: Store | None = None
) -> pa.Table:
    """Rows of schema `RUNS`, sorted: the runs of words that go, and where the same words stand earlier.

    Parts have a column `text`. With `work`, a folder that `begin_passages` has seen, a killed call goes on where it was.
    """
    given = [Held(part) if isinstance(part, pa.Table) else part for part in parts]
    with folder_for(work) as folder:
        return _found(given, least, run, folder)


def begin_passages(work: Store, least: int, documents: object) -> None:
    """Clear the folder, unless it was begun with the same documents (whatever names them) and settings."""
    begin(work, {"words": least, "documents": documents, "versions": [WORDS_VERSION, PASSES_VERSION]})


def _found(parts: Sequence[Part], least: int, run: Run, work: Store) -> pa.Table:
    numbered = [Numbered(number, part) for number, part in enumerate(parts)]
    numbers = range(len(parts))
    samples = resumed(work, "samples", partial(sampled, least=least), numbered, run)
    places = resumed(
        work, "places", partial(shared_places, store=work, samples=samples), _shares(samples), run, GROUP_ROWS
    )
    windows = resumed(work, "windows", partial(hashed_windows, store=work, places=places, least=least), numbered, run)
    copies = resumed(
        work, "copies", partial(copies_of, store=work, windows=windows, least=least), _shares(windows), run, GROUP_ROWS
    )
    runs = resumed(work, "runs", partial(runs_of, store=work, copies=copies, least=least), numbers, run)
    loads = list(_loads([read_partition(work, item) for item in runs]))
    said = resumed(work, "said", spoken, _wanted(numbered, loads), run, 1024)
    true = resumed(work, "verified", partial(verified, store=work, said=said), loads, run)
    return pa.concat_tables([read_partition(work, item) for item in true] or [RUNS.empty_table()])


def _shares(items: Sequence[Partition]) -> list[Share]:
    """Cut the hashes of all partitions into ranges that can be sorted at once."""
    parts = -(-sum(item.rows for item in items) // HASHES_AT_ONCE) or 1
    return [Share(part, parts) for part in range(parts)]


def _loads(tables: Sequence[pa.Table]) -> Iterator[Load]:
    """All runs, cut where the words come to `WORDS_AT_ONCE`."""
    table = pa.concat_tables(tables) if tables else RUNS.empty_table()
    heavy = np.cumsum(table["words"].to_numpy(), dtype=np.int64) // WORDS_AT_ONCE
    cuts = [0, *(np.flatnonzero(np.diff(heavy)) + 1).tolist(), table.num_rows]
    for number, (start, end) in enumerate(pairwise(cuts)):
        yield Load(number, table.slice(start, end - start))


def _wanted(parts: Sequence[Numbered], loads: Sequence[Load]) -> list[Pieces]:
    """What of each part the loads compare, each piece once a load."""
    sides = [_sides(load) for load in loads]
    pieces = pl.concat(sides).sort("text", "load", "start", "words")
    cuts = np.searchsorted(pieces["text"].to_numpy(), np.arange(len(parts) + 1, dtype=np.int64) << 32)
    return [Pieces(part, pieces.slice(cuts[n], cuts[n + 1] - cuts[n]).to_arrow()) for n, part in enumerate(parts)]


def _sides(load: Load) -> pl.DataFrame:
    runs = pl.DataFrame(load.runs)
    earlier = runs.select(pl.col("kept_text").alias("text"), pl.col("kept_start").alias("start"), "words")
    both = pl.concat([runs.select("text", "start", "words"), earlier]).unique()
    return both.with_columns(pl.lit(load.number, pl.Int32).alias("load"))
