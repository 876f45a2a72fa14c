"""Secrets and personal data: where they are, of which kind, and a copy of the text without them.

Patterns find candidates, validators confirm them (`filters.sensitive_kinds`). They run only where bytes have the outline of
a finding (`filters.footholds`), and find what they would find in the whole text.

Not found: names, postal addresses, and secrets without a shape of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from filters.config import FilterConfig, Policy
from filters.footholds import footholds
from filters.sensitive_kinds import KINDS, NAMES, Kind

GATED = tuple(kind for kind in KINDS if kind.gate)
GATE = "|".join(f"(?:{kind.gate})" for kind in GATED)
NOWHERE = np.zeros(0, np.int64)
SOME = 4096  # places taken out of an array at a time
LOOK = 64  # bytes looked at first for the edge of a run
BEFORE = 24  # bytes around a match that a confirmation sees
BEHIND = 4  # bytes that a pattern may look at behind its end


@dataclass(frozen=True, slots=True)
class Finding:
    """Characters `start` to `end` of a text are sensitive, and of which kind."""

    kind: str
    start: int
    end: int


def find(text: str, kinds: Mapping[str, Kind] | None = None) -> list[Finding]:
    """All findings in reading order; they never overlap. `kinds` limits the search."""
    data = text.encode(errors="surrogatepass")
    found = _in_one(data, kinds)
    if len(data) == len(text) or not found:
        return found
    begins = np.cumsum((np.frombuffer(data, np.uint8) & 0xC0) != 0x80)  # characters up to each byte, itself included
    return [Finding(item.kind, int(begins[item.start]) - 1, int(begins[item.end - 1])) for item in found]


def redact(text: str, kinds: Mapping[str, Kind] | None = None) -> tuple[str, dict[str, int]]:
    """The text with each finding replaced by its kind in angle brackets, and how many there were of each kind."""
    data = text.encode(errors="surrogatepass")
    findings = _in_one(data, kinds)
    return _replaced(data, findings) if findings else text, _counts(findings)


def redact_all(texts: pl.Series, kinds: Mapping[str, Kind] | None = None) -> dict[int, tuple[str, dict[str, int]]]:
    """The same for a column, by number of the text, where anything was replaced."""
    return {
        index: (_replaced(texts[index].encode(), findings), _counts(findings))
        for index, findings in findings_of(texts, kinds)
    }


def score(texts: pl.Series) -> dict[str, np.ndarray]:
    """Findings of each kind in each text, int32."""
    counts = {name: np.zeros(len(texts), dtype=np.int32) for name in NAMES}
    for index, findings in findings_of(texts):
        for finding in findings:
            counts[finding.kind][index] += 1
    return {f"sensitive.{name}": values for name, values in counts.items()}


def findings_of(texts: pl.Series, kinds: Mapping[str, Kind] | None = None) -> Iterator[tuple[int, list[Finding]]]:
    """(number of the text, its findings by place in its UTF-8) of the texts that have any, in their order."""
    offsets, data = _bytes_of(texts)
    places = footholds(data, offsets)
    owner = {name: np.searchsorted(offsets, found, side="right") - 1 for name, found in places.items()}
    gated = np.flatnonzero(texts.str.contains(GATE).to_numpy())
    asked = np.unique(np.concatenate([gated, *owner.values()]))
    found_in = {
        name: (
            places[name],
            np.searchsorted(rows, asked).tolist(),
            np.searchsorted(rows, asked, "right").tolist(),
        )
        for name, rows in owner.items()
    }
    starts, ends = offsets[asked].tolist(), offsets[asked + 1].tolist()
    gates = np.isin(asked, gated).tolist()
    for number, index in enumerate(asked.tolist()):
        start, end, open_gate = starts[number], ends[number], gates[number]
        local = {
            name: every[left[number] : right[number]] - start
            for name, (every, left, right) in found_in.items()
            if left[number] < right[number]
        }
        found = _find(data[start:end].tobytes(), local, open_gate, kinds)
        if found:
            yield index, found


def policies(config: FilterConfig) -> dict[str, Policy]:
    """What happens to each kind: the recipe's word for it, else `report` if the recipe only reports, else its own."""
    default = {kind.name: kind.policy if config.sensitive == "drop" else "report" for kind in KINDS}
    return {name: config.policy.get(name, policy) for name, policy in default.items()}


def masked_kinds(config: FilterConfig) -> dict[str, Kind]:
    """The kinds whose findings are replaced in texts that are read: an edit, done in the stage that cleans."""
    return {kind.name: kind for kind in KINDS if policies(config)[kind.name] == "mask"}


def _counts(findings: Sequence[Finding]) -> dict[str, int]:
    return dict(Counter(finding.kind for finding in findings))


def _replaced(data: bytes, findings: Sequence[Finding]) -> str:
    """A text with its findings, by place in its bytes, replaced."""
    pieces, last = [], 0
    for finding in findings:
        pieces += [data[last : finding.start], f"<{finding.kind}>".encode()]
        last = finding.end
    return b"".join([*pieces, data[last:]]).decode(errors="surrogatepass")


def _in_one(data: bytes, kinds: Mapping[str, Kind] | None) -> list[Finding]:
    found = footholds(np.frombuffer(data, np.uint8), np.array([0, len(data)]))
    return _find(data, {name: places for name, places in found.items() if len(places)}, True, kinds)


def _find(
    data: bytes, places: Mapping[str, np.ndarray], open_gate: bool, kinds: Mapping[str, Kind] | None
) -> list[Finding]:
    """Findings by byte in one text, in reading order."""
    found: list[Finding] = []
    taken = bytearray()
    for kind in KINDS if kinds is None else kinds.values():
        if not (open_gate if kind.gate else kind.name in places and kind.literal in data):
            continue
        for start, end in _matches(data, kind, places.get(kind.name, NOWHERE)):
            confirmed = kind.confirm(*_around(data, start, end))
            if not confirmed and not kind.bars:
                continue
            taken = taken or bytearray(len(data))
            if 1 not in taken[start:end]:
                taken[start:end] = b"\1" * (end - start)
                found += [Finding(kind.name, start, end)] * confirmed
    return sorted(found, key=lambda finding: finding.start)


def _around(data: bytes, start: int, end: int) -> tuple[str, str, str]:
    """What matched, what stands before it in lower case, and what behind."""
    before = data[max(0, start - BEFORE) : start].decode(errors="replace").lower()
    return data[start:end].decode(errors="surrogatepass"), before, data[end : end + BEFORE].decode(errors="replace")


def _matches(data: bytes, kind: Kind, places: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where the kind's pattern matches: all over a text that passes the gate, else in runs of its own bytes."""
    for start, end in [(0, len(data))] if kind.gate else _regions(data, places, kind.alphabet):
        for match in kind.pattern.finditer(data, start, min(len(data), end + BEHIND)):
            yield match.span()


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


def _bytes_of(texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (int64, n + 1) and bytes (uint8) of a string series without nulls."""
    column = texts.rechunk().to_arrow().cast(pa.large_string())
    _, offsets, data = column.buffers()
    cuts = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    return cuts - cuts[0], np.frombuffer(data or b"", np.uint8)[cuts[0] : cuts[-1]]
