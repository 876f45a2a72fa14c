"""The passes that find passages: each from one item to one table.

A text is named by its part and its row, `part << 32 | row`: in the order of reading, whatever the other parts hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from corpus.shards import Partition, read_partition
from corpus.store import Store
from filters.batch import slices, text_series
from filters.dedup_passes import SIGN_BYTES, Part
from filters.segments import offsets_of
from filters.spilled import rows_between
from filters.winnowing import shape, window_hashes, windows_inside, winnowed
from filters.words import Words, split_words

PLACES = pa.schema([("text", pa.int64()), ("place", pa.int32())])
HASHES = PLACES.append(pa.field("hash", pa.uint64()))
RUNS = pa.schema([("text", pa.int64()), ("start", pa.int32()), ("words", pa.int32()),
                  ("kept_text", pa.int64()), ("kept_start", pa.int32())])  # fmt: skip
COPIES = pa.schema([("text", pa.int64()), ("place", pa.int32()), ("kept_text", pa.int64()), ("kept_place", pa.int32())])
SAID = pa.schema([("load", pa.int32()), ("text", pa.int64()), ("start", pa.int32()), ("words", pa.int32()),
                  ("said", pa.large_string())])  # fmt: skip
IN_A_ROW = 64  # of equal windows that overlap: more is no passage
PIECE = 18  # bits of a place: a longer text is looked at piece by piece


@dataclass(frozen=True, slots=True)
class Numbered:
    """A part of the documents and its place among the parts."""

    number: int
    part: Part

    @property
    def first(self) -> int:
        """The name of its first text."""
        return self.number << 32


@dataclass(frozen=True, slots=True)
class Share:
    """The hashes that fall into one of `parts` equal ranges."""

    part: int
    parts: int


def sampled(item: Numbered, least: int) -> pa.Table:
    """The winnowed hashes of a part, and where they stand.

    A word that is said a million times would be a million of them: of long rows the beginning and the end count.
    """
    tables, (size, width) = [], shape(least)
    for first, words in _split(item.part.read(), SIGN_BYTES):
        places, hashes = winnowed(words.hashes[words.codes], words.offsets, least)
        table = _placed(words, places, item.first + first).append_column("hash", pa.array(hashes))
        tables.append(_not_in_rows(table, size, width))
    return pa.concat_tables([HASHES.empty_table(), *tables])


def shared_places(share: Share, store: Store, samples: Sequence[Partition]) -> pa.Table:
    """Where the hashes stand that stand twice."""
    table = _of_share(share, store, samples)
    order, same = _sorted_by_hash(table)
    shared = np.r_[False, same] | np.r_[same, False] if len(order) else same
    return table.take(pa.array(np.sort(order[shared]))).select(PLACES.names)


def hashed_windows(item: Numbered, store: Store, places: Sequence[Partition], least: int) -> pa.Table:
    """The hashes of all windows of `least` words that hold one of the places."""
    marks = pa.concat_tables([PLACES.empty_table(), *_part_rows(store, places, item.number)])
    rows, numbers = np.unique(marks["text"].to_numpy() - item.first, return_inverse=True)
    order = np.argsort(numbers, kind="stable")
    numbers, found = numbers[order], marks["place"].to_numpy()[order]
    tables = []
    for first, words in _split(_rows(item.part, rows), SIGN_BYTES):
        low, high = np.searchsorted(numbers, [first, first + len(words.offsets) - 1])
        flat = words.offsets[numbers[low:high] - first] + found[low:high]
        starts = _around(flat, words.offsets, least)
        hashes = window_hashes(words.hashes[words.codes], least)[starts]
        table = _placed(words, starts, item.first + rows[first:]).append_column("hash", pa.array(hashes))
        tables.append(_not_in_rows(table, least))
    return pa.concat_tables([HASHES.empty_table(), *tables])


def copies_of(share: Share, store: Store, windows: Sequence[Partition], least: int) -> pa.Table:
    """The windows that stand earlier, and where: in the first text that has them, else at least their length before.

    Which of several places it is follows the order within the text, so that a run of windows leads to one run.
    """
    table = _of_share(share, store, windows)
    order, same = _sorted_by_hash(table)
    starts = np.flatnonzero(np.r_[True, ~same][: len(order)])
    sizes = np.diff(np.r_[starts, len(order)])
    text, place = table["text"].to_numpy()[order], table["place"].to_numpy()[order].astype(np.int64)
    group = np.repeat(np.arange(len(starts)), sizes)
    source = _sources(group, starts, text, place, least)
    copy = np.flatnonzero(source >= 0)
    copy = copy[np.lexsort((place[copy], text[copy]))]
    source = source[copy]
    columns = [text[copy], place[copy].astype(np.int32), text[source], place[source].astype(np.int32)]
    return pa.table(columns, schema=COPIES)


def _sources(group: np.ndarray, starts: np.ndarray, text: np.ndarray, place: np.ndarray, least: int) -> np.ndarray:
    """For each window the number of the one that it copies, or -1; all are sorted by (group, text, place)."""
    if not len(group):
        return np.zeros(0, np.int64)
    own = np.r_[True, (group[1:] != group[:-1]) | (text[1:] != text[:-1])]  # begins the windows of a group in one text
    begins = np.flatnonzero(own)
    nth = np.arange(len(group)) - begins[np.cumsum(own) - 1]
    first, held = starts[group], np.diff(np.r_[begins, len(group)])[np.searchsorted(begins, starts)][group]
    source = first + nth % held
    alone = np.flatnonzero(text == text[first])  # of the first text, sorted by (group, place)
    keys = (group[alone] << 32) + place[alone]
    before = alone[np.searchsorted(keys, keys - least, "right") - 1]
    source[alone] = np.where(place[alone] - place[first[alone]] >= least, before, -1)
    return source


def runs_of(number: int, store: Store, copies: Sequence[Partition], least: int) -> pa.Table:
    """Windows that follow each other, and whose earlier ones do, as runs of words."""
    table = pa.concat_tables([COPIES.empty_table(), *_part_rows(store, copies, number)])
    text, place, kept, there = (column.to_numpy() for column in table.columns)
    order = np.lexsort((place, text))
    text, place, kept, there = text[order], place[order], kept[order], there[order]
    broken = (np.diff(text) != 0) | (np.diff(kept) != 0) | (np.diff(place) != 1) | (np.diff(there) != 1)
    starts = np.flatnonzero(np.r_[True, broken][: len(text)])
    words = (np.diff(np.r_[starts, len(text)]) + least - 1).astype(np.int32)
    return pa.table([text[starts], place[starts], words, kept[starts], there[starts]], schema=RUNS)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Runs of words of a part, columns `load`, `text`, `start`, `words`, sorted by text."""

    part: Numbered
    table: pa.Table


def spoken(pieces: Pieces) -> pa.Table:
    """The words themselves, the pieces of one load together."""
    texts = pieces.table["text"].to_numpy() - pieces.part.first
    rows, numbers = np.unique(texts, return_inverse=True)
    starts, sizes = (pieces.table[name].to_numpy() for name in ("start", "words"))
    said: list[pa.Array] = []
    for first, words in _split(_rows(pieces.part.part, rows), SIGN_BYTES):
        low, high = np.searchsorted(numbers, [first, first + len(words.offsets) - 1])
        begins = words.offsets[numbers[low:high] - first] + starts[low:high]
        said.append(_joined(words, begins, sizes[low:high]))
    table = pieces.table.select(["load", "text", "start", "words"])
    table = table.append_column("said", pa.chunked_array(said, pa.large_string())).cast(SAID)
    return table.take(pc.sort_indices(table["load"]))


@dataclass(frozen=True, slots=True)
class Load:
    """Runs that are compared at once."""

    number: int
    runs: pa.Table


def verified(load: Load, store: Store, said: Sequence[Partition]) -> pa.Table:
    """The runs of a load whose words are those of the earlier run."""
    own = pl.DataFrame(pa.concat_tables([SAID.empty_table(), *rows_between(store, said, load.number, load.number + 1)]))
    earlier = own.select(
        pl.col("text").alias("kept_text"),
        pl.col("start").alias("kept_start"),
        "words",
        pl.col("said").alias("kept_said"),
    )
    runs = pl.DataFrame(load.runs).join(own, on=["text", "start", "words"], how="left", maintain_order="left")
    runs = runs.join(earlier, on=["kept_text", "kept_start", "words"], how="left", maintain_order="left")
    return runs.filter(pl.col("said") == pl.col("kept_said")).select(RUNS.names).to_arrow().cast(RUNS)


def _split(table: pa.Table, limit: int) -> Iterator[tuple[int, Words]]:
    """The words of a table's texts, some texts at a time, with the number of the first."""
    first = 0
    for piece in slices(table, limit):
        yield first, split_words(text_series(piece))
        first += piece.num_rows


def _rows(part: Part, rows: np.ndarray) -> pa.Table:
    return (
        part.read().select(["text"]).take(pa.array(rows))
        if len(rows)
        else pa.table({"text": pa.array([], pa.string())})
    )


def _placed(words: Words, flat: np.ndarray, names: int | np.ndarray) -> pa.Table:
    """Flat places as (text, place); `names` is the name of the first text, or of each."""
    numbers = np.searchsorted(words.offsets, flat, side="right") - 1
    text = names[numbers] if isinstance(names, np.ndarray) else numbers + names
    return pa.table([text, (flat - words.offsets[numbers]).astype(np.int32)], schema=PLACES)


def _around(flat: np.ndarray, cuts: np.ndarray, least: int) -> np.ndarray:
    """The starts of the windows of `least` words within a text that hold a taken window at one of the flat places."""
    change = np.zeros(int(cuts[-1]) + 1, np.int16)
    np.add.at(change, np.maximum(flat - shape(least)[1] + 1, 0), 1)
    np.add.at(change, flat + 1, -1)
    return np.flatnonzero((np.cumsum(change[:-1], dtype=np.int16) > 0) & windows_inside(cuts, least))


def _not_in_rows(table: pa.Table, within: int, more: int = 0) -> pa.Table:
    """A table of hashes, sorted by (text, place), without the middle of long rows of equal ones, each nearer than `within`
    to the one before. The first `IN_A_ROW + more` and the last `more` of a row stay; a row ends with a `PIECE` of a text.
    """
    pieces, most = table["place"].to_numpy() >> PIECE, 1 << PIECE
    inner = np.flatnonzero((np.diff(pieces) > 0) & (len(pieces) > most)) + 1
    cuts = [0, *inner.tolist(), len(pieces)]
    few = [_few(table.slice(begin, end - begin), within, more) for begin, end in pairwise(cuts)]
    kept = np.concatenate(few)
    return table if kept.all() else table.filter(pa.array(kept))


def _few(table: pa.Table, within: int, more: int) -> np.ndarray:
    texts, places, hashes = (table[name].to_numpy() for name in HASHES.names)
    order = np.argsort(hashes, kind="stable")
    hashes, texts, places = hashes[order], texts[order], places[order]
    chained = (np.diff(hashes) == 0) & (np.diff(texts) == 0) & (np.diff(places) < within)
    chained &= np.diff(places >> PIECE) == 0
    begins = np.flatnonzero(np.r_[True, ~chained][: len(order)])
    sizes = np.diff(np.r_[begins, len(order)])
    nth = np.arange(len(order)) - np.repeat(begins, sizes)
    few = np.empty(len(order), bool)
    few[order] = (nth < IN_A_ROW + more) | (nth >= np.repeat(sizes, sizes) - more)
    return few


def _joined(words: Words, begins: np.ndarray, sizes: np.ndarray) -> pa.Array:
    """Runs of words, a blank between two."""
    offsets = offsets_of(sizes)
    places = np.arange(offsets[-1]) + np.repeat(begins - offsets[:-1], sizes)
    taken = words.vocabulary.take(pa.array(words.codes[places]))
    lists = pl.Series(pl.from_arrow(pa.LargeListArray.from_arrays(pa.array(offsets), taken)), dtype=pl.List(pl.String))
    return lists.list.join(" ").to_arrow().cast(pa.large_string())


def _part_rows(store: Store, spilled: Sequence[Partition], number: int) -> Iterator[pa.Table]:
    return rows_between(store, spilled, number << 32, (number + 1) << 32)


def _of_share(share: Share, store: Store, items: Sequence[Partition]) -> pa.Table:
    """The rows of a share, in the order of reading."""
    found = [HASHES.empty_table()]
    for item in items:
        table = read_partition(store, item)
        if share.parts > 1:
            table = table.filter(pa.array(table["hash"].to_numpy() % np.uint64(share.parts) == share.part))
        found.append(table)
    return pa.concat_tables(found)


def _sorted_by_hash(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """The order of the rows by hash, else as they are, and which of them has the hash of the one before it."""
    hashes = table["hash"].to_numpy()
    order = np.argsort(hashes, kind="stable")
    return order, hashes[order][1:] == hashes[order][:-1]
