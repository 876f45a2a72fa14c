"""The search for sensitive text in many texts at once.

The texts of a batch are joined with a line feed between each two, so that nothing is done text by text. Patterns run only
where bytes have the outline of a finding (`filters.footholds`) or, for kinds with a gate, over texts that hold one of
some literals. They find what they would find in each whole text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from filters.footholds import footholds
from filters.segments import offsets_of
from filters.sensitive_kinds import KINDS, Kind

GATES = {kind.name: kind.gate for kind in KINDS if kind.gate}
GATE = "|".join(f"(?:{gate})" for gate in GATES.values())
SOME = 4096  # places taken out of an array at a time
LOOK = 64  # bytes looked at first for the edge of a run
BEFORE = 24  # bytes around a match that a confirmation sees
BEHIND = 4  # bytes that a pattern may look at behind its end
REACH = 512  # bytes between a literal of a kind and its foothold, at most
GROUP = 4096  # bytes of short texts that the gate is asked about together
ALONE = 512  # bytes of a text, on average, from which it is asked about each


@dataclass(frozen=True, slots=True)
class Joined:
    """n texts in UTF-8 with a line feed between each two: `starts` (int64, n + 1) are their first bytes, and one more."""

    data: bytes
    starts: np.ndarray

    def owners(self, places: np.ndarray) -> np.ndarray:
        """The numbers of the texts that bytes belong to."""
        return np.searchsorted(self.starts, places, side="right") - 1


@dataclass(frozen=True, slots=True)
class Spans:
    """Findings by byte in joined texts, in reading order; none overlap. `kinds` are numbers among the kinds asked for."""

    kinds: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


def joined(texts: pl.Series) -> Joined:
    """A string series without nulls."""
    starts = offsets_of(texts.str.len_bytes().to_numpy().astype(np.int64) + 1)
    whole = texts.str.join("\n").to_arrow().cast(pa.large_string())
    return Joined(whole[0].as_buffer().to_pybytes(), starts)


def search(texts: Joined, gates: Mapping[str, np.ndarray], kinds: Sequence[Kind] = KINDS) -> Spans:
    """All findings. `gates` says for each kind with a gate the numbers of the texts that it is looked for in: see
    `open_gates`."""
    places = footholds(np.frombuffer(texts.data, np.uint8))
    spans = np.zeros((0, 4), np.int64)  # start, end, kind, and whether it is a finding or only bars others
    for number, kind in enumerate(kinds):
        if kind.gate:
            matches = list(_in_texts(texts, kind, gates[kind.name]))
        else:
            matches = list(_at(texts.data, kind, places[kind.name]))
        if matches and (rows := list(_confirmed(texts, kind, number, np.array(matches)))):
            spans = _merged(spans, np.array(rows, np.int64))
    found = spans[spans[:, 3] == 1]
    return Spans(found[:, 2], found[:, 0], found[:, 1])


def open_gates(texts: pl.Series, whole: Joined) -> dict[str, np.ndarray]:
    """For each kind with a gate the numbers of the texts in which it could stand; short ones are asked about in groups."""
    rows = np.arange(len(texts))
    if len(whole.data) < ALONE * len(texts):
        rows = _in_open_groups(whole, len(texts))
    rows = rows[texts.gather(rows).str.contains(GATE).to_numpy()] if len(rows) else rows
    if not len(rows):
        return dict.fromkeys(GATES, rows)
    some = texts.gather(rows)
    return {name: rows[some.str.contains(gate).to_numpy()] for name, gate in GATES.items()}


def _in_open_groups(whole: Joined, count: int) -> np.ndarray:
    """The numbers of the texts in groups that pass the gate: to ask about each costs more than to look at it."""
    cuts = np.searchsorted(whole.starts, np.arange(0, len(whole.data), GROUP))
    cuts = np.unique(np.append(cuts, count))
    bounds = pa.py_buffer(np.minimum(whole.starts[cuts], len(whole.data)))
    groups = pa.LargeStringArray.from_buffers(len(cuts) - 1, bounds, pa.py_buffer(whole.data))
    passed = pl.Series("groups", pl.from_arrow(groups), dtype=pl.String).str.contains(GATE).to_numpy()
    return np.flatnonzero(np.repeat(passed, np.diff(cuts)))


def _in_texts(texts: Joined, kind: Kind, rows: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where the kind's pattern matches in some whole texts."""
    for start, end in zip(texts.starts[rows].tolist(), (texts.starts[rows + 1] - 1).tolist(), strict=True):
        yield from (match.span() for match in kind.pattern.finditer(texts.data, start, end))


def _at(data: bytes, kind: Kind, places: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where it matches at places, or in the runs of its own bytes around them. Behind a text a line feed ends every run."""
    if kind.lead >= 0:
        yield from _leading(data, kind, places)
        return
    if kind.literal:
        places = _near(data, kind.literal, places)
    for start, end in _regions(data, places, kind.alphabet):
        if data.find(kind.literal, start, end) >= 0:
            yield from (match.span() for match in kind.pattern.finditer(data, start, min(len(data), end + BEHIND)))


def _near(data: bytes, literal: bytes, places: np.ndarray) -> np.ndarray:
    """The places that the literal stands before, as far away as it can."""
    if data.find(literal) < 0:
        return places[:0]
    near = [data.find(literal, max(0, place - REACH), place) >= 0 for place in places.tolist()]
    return places[np.array(near, bool)]


def _leading(data: bytes, kind: Kind, places: np.ndarray) -> Iterator[tuple[int, int]]:
    last = 0
    for start in (places - kind.lead).tolist():
        if start >= last and (match := kind.pattern.match(data, start)):
            last = match.end()
            yield match.span()


def _confirmed(texts: Joined, kind: Kind, number: int, matches: np.ndarray) -> Iterator[tuple[int, int, int, bool]]:
    """Rows of spans: those that are findings, and those that bar later kinds."""
    rows = texts.owners(matches[:, 0])
    bounds = np.column_stack([matches, texts.starts[rows], texts.starts[rows + 1] - 1])
    for start, end, low, high in bounds.tolist():
        confirmed = kind.confirm(*_around(texts.data, start, end, low, high))
        if confirmed or kind.bars:
            yield start, end, number, confirmed


def _around(data: bytes, start: int, end: int, low: int, high: int) -> tuple[str, str, str]:
    """What matched in the text from `low` to `high`, what stands before it in lower case, and what behind."""
    before = data[max(low, start - BEFORE) : start].decode(errors="replace").lower()
    after = data[end : min(high, end + BEFORE)].decode(errors="replace")
    return data[start:end].decode(errors="surrogatepass"), before, after


def _merged(spans: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Spans in reading order with those of a later kind that overlap none of them."""
    at = np.searchsorted(spans[:, 0], more[:, 0])
    ends, starts = np.append(0, spans[:, 1]), np.append(spans[:, 0], np.iinfo(np.int64).max)
    free = more[(ends[at] <= more[:, 0]) & (more[:, 1] <= starts[at])]
    whole = np.concatenate([spans, free])
    return whole[np.argsort(whole[:, 0], kind="stable")]


def _regions(data: bytes, places: np.ndarray, alphabet: bytes) -> Iterator[tuple[int, int]]:
    """The runs of bytes of an alphabet around places, each once."""
    end = -1
    for place in (place for first in range(0, len(places), SOME) for place in places[first : first + SOME].tolist()):
        if place < end:
            continue
        start, end = _edge(data, place, alphabet, -1), _edge(data, place, alphabet, 1)
        yield start, end


def _edge(data: bytes, place: int, alphabet: bytes, way: int) -> int:
    """The start (`way` -1) or the end (1) of the run of bytes of `alphabet` around a place."""
    look = LOOK
    while True:
        piece = data[max(0, place - look) : place] if way < 0 else data[place : place + look]
        rest = len((piece.rstrip if way < 0 else piece.lstrip)(alphabet))
        if rest or len(piece) < look:
            return place + way * (len(piece) - rest)
        look *= 4
