"""Texts without the passages that stand elsewhere, and a record of every cut.

A cut goes from its first word to its last, with the marks that hang on them, and takes the smaller of the two gaps around
it: what is left keeps its line and paragraph ends. A cut is a plain piece of the text and nothing is put in its place, so
the texts before are the texts after and the record, character for character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from filters.batch import slices, text_series
from filters.dedup_passes import SIGN_BYTES
from filters.runs import split_runs

CUTS = pa.schema([("id", pa.string()), ("start", pa.int64()), ("end", pa.int64()), ("words", pa.int32()),
                  ("kept_id", pa.string()), ("text", pa.string())])  # fmt: skip
OPENING = re.compile(r"""[(\[{"'“‘«「『《【（]+\Z""")
CLOSING = re.compile(r"""[^\w\s(\[{“‘«「『《【（]+""")
NEAR = 200  # characters looked at on each side of a cut: longer rows of marks or blanks stay


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece of a text in characters, the words in it, and the text that has them first."""

    start: int
    end: int
    words: int
    kept: int


def without_passages(table: pa.Table, runs: pa.Table, first: int, ids: Mapping[int, str]) -> tuple[pa.Table, pa.Table]:
    """The rows of a part without their runs (schema `RUNS`, sorted), and the record, rows of schema `CUTS`.

    `first` is the name of the part's first text; `ids` maps the names of kept texts to their ids. A text with no word
    left is left out, and all of it is in the record.
    """
    rows = runs["text"].to_numpy() - first
    changed, begins = np.unique(rows, return_index=True)
    ends = np.append(begins[1:], len(rows))
    texts: list[str] = []
    record: list[dict[str, object]] = []
    names = table["id"].take(pa.array(changed)).to_pylist()
    for number, (text, starts, stops) in enumerate(_with_words(table.select(["text"]).take(pa.array(changed)))):
        cuts = _cuts(text, starts, stops, runs.slice(begins[number], ends[number] - begins[number]))
        left = _left(text, cuts)
        texts.append(left)
        record += [
            {"id": names[number], "start": cut.start, "end": cut.end, "words": cut.words, "kept_id": ids[cut.kept],
             "text": text[cut.start : cut.end]} for cut in cuts
        ]  # fmt: skip
    return _replaced(table, changed, texts), pa.Table.from_pylist(record, schema=CUTS)


def _replaced(table: pa.Table, changed: np.ndarray, texts: list[str]) -> pa.Table:
    """The table with other texts in some rows; rows that were left nothing go."""
    whole = table["text"].to_numpy(zero_copy_only=False)
    whole[changed] = texts
    stay = np.ones(len(whole), bool)
    stay[changed] = [bool(text) for text in texts]
    place = table.schema.get_field_index("text")
    field = table.schema.field(place)
    return table.set_column(place, field, pa.array(whole, field.type)).filter(pa.array(stay))


def _with_words(table: pa.Table) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Each text with the character at which each of its words begins, and ends."""
    for piece in slices(table, SIGN_BYTES):
        series = text_series(piece)
        runs = split_runs(series)
        chosen = np.flatnonzero(runs.words)
        offsets = np.searchsorted(chosen, runs.offsets)
        lengths = series.str.to_lowercase().str.len_bytes().to_numpy().astype(np.int64)
        begin = 0
        for number, text in enumerate(series.to_list()):
            own = chosen[offsets[number] : offsets[number + 1]]
            starts = runs.starts[own].astype(np.int64) - begin
            yield text, _characters(text, starts), _characters(text, starts + runs.sizes[own])
            begin += int(lengths[number])


def _characters(text: str, places: np.ndarray) -> np.ndarray:
    """Bytes of the lower-cased text as characters of the text: in some scripts the two differ in length."""
    if text.isascii():
        return places
    points, each = np.unique(np.frombuffer(text.encode("utf-32-le"), "<u4"), return_inverse=True)
    widths = pl.Series([chr(point) for point in points]).str.to_lowercase().str.len_bytes().to_numpy()[each]
    return np.searchsorted(np.cumsum(widths, dtype=np.int64), places, side="right")


def _cuts(text: str, starts: np.ndarray, stops: np.ndarray, runs: pa.Table) -> list[Cut]:
    """The runs of one text, joined where they meet, as pieces of it; all of it where no word would be left."""
    joined = list(_joined(runs))
    if sum(size for _, size, _ in joined) == len(starts):
        return [Cut(0, len(text), len(starts), joined[0][2])]
    lows, highs = np.r_[0, stops], np.r_[starts, len(text)]
    pieces = [(starts[at], stops[at + size - 1], lows[at], highs[at + size]) for at, size, _ in joined]
    return [
        Cut(*_widened(text, *map(int, piece)), size, kept)
        for piece, (_, size, kept) in zip(pieces, joined, strict=True)
    ]


def _joined(runs: pa.Table) -> Iterator[tuple[int, int, int]]:
    """(first word, words, kept text) of runs that do not touch; of several kept texts the first run's is named."""
    columns = (runs[name].to_pylist() for name in ("start", "words", "kept_text"))
    begin, end, kept = -1, -1, -1
    for start, size, text in zip(*columns, strict=True):
        if start > end:
            if end > begin:
                yield begin, end - begin, kept
            begin, end, kept = start, start + size, text
        end = max(end, start + size)
    yield begin, end - begin, kept


def _widened(text: str, start: int, end: int, low: int, high: int) -> tuple[int, int]:
    """With the marks that hang on a piece, and the smaller gap beside it (where the text begins or ends, that one).

    `low` and `high` are where the word before it ends and the word behind it begins.
    """
    before, behind = text[max(low, start - NEAR) : start], text[end : min(high, end + NEAR)]
    if mark := OPENING.search(before):
        before = before[: mark.start()]
        start -= mark.end() - mark.start()
    if mark := CLOSING.match(behind):
        behind = behind[mark.end() :]
        end += mark.end()
    left, right = before[len(before.rstrip()) :], behind[: len(behind) - len(behind.lstrip())]
    if end + len(right) == len(text) or (_strength(left) < _strength(right) and start > len(left)):
        return start - len(left), end
    return start, end + len(right)


def _strength(gap: str) -> tuple[int, int]:
    return gap.count("\n"), len(gap)


def _left(text: str, cuts: list[Cut]) -> str:
    ends = [0, *(cut.end for cut in cuts)]
    starts = [*(cut.start for cut in cuts), len(text)]
    return "".join(text[end:start] for end, start in zip(ends, starts, strict=True))
