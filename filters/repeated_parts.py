"""Lines and paragraphs that many documents share: navigation that no list knows, licences, signatures, quoted pieces.

Two passes. The first keeps the hash of every part, once a document; the second takes out the parts that occur in
`many` documents or more, everywhere but in the document with the smallest id, so that nothing is lost to the corpus.
Memory is 8 bytes a part and document.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import xxhash

Unit = Literal["line", "paragraph"]
SEPARATOR: dict[Unit, str] = {"line": "\n", "paragraph": "\n\n"}
LEAST: dict[Unit, int] = {"line": 12, "paragraph": 40}  # characters: shorter parts are repeated by right
MANY = 3  # documents


@dataclass(frozen=True, slots=True)
class Shared:
    """Hashes (sorted, uint64) of the parts that go, and the id of the one document that keeps each."""

    unit: Unit
    hashes: np.ndarray
    keepers: np.ndarray  # object

    def keeper_of(self, part: int) -> str | None:
        """Who keeps a part, by its hash; None for a part that is not shared."""
        place = int(np.searchsorted(self.hashes, np.uint64(part)))
        found = place < len(self.hashes) and int(self.hashes[place]) == part
        return str(self.keepers[place]) if found else None


def find_shared(tables: Iterable[pa.Table], unit: Unit, many: int = MANY) -> Shared:
    """The parts that `many` documents or more have. `tables` have `id` and `text`."""
    names: list[str] = []
    hashes: list[np.ndarray] = []
    for table in tables:
        for name, text in zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True):
            names.append(name)
            hashes.append(np.unique(np.array([part_hash(part) for part in _long(text, unit)], np.uint64)))
    owners = np.repeat(np.arange(len(names)), [len(row) for row in hashes])
    flat = np.concatenate(hashes) if hashes else np.zeros(0, np.uint64)
    rank = np.empty(len(names), np.int64)
    rank[np.argsort(np.array(names, object), kind="stable")] = np.arange(len(names))
    order = np.lexsort((rank[owners], flat))
    starts = np.flatnonzero(np.r_[True, flat[order][1:] != flat[order][:-1]]) if len(flat) else np.zeros(0, np.int64)
    counts = np.diff(np.r_[starts, len(flat)])
    first = starts[counts >= many]
    return Shared(unit, flat[order][first], np.array(names, object)[owners[order][first]])


def without_shared(table: pa.Table, shared: Shared) -> tuple[pa.Table, np.ndarray]:
    """The table without shared parts, and how many characters each document lost, int64."""
    texts, lost = [], []
    for name, text in zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True):
        left = _without(name, text, shared)
        texts.append(left)
        lost.append(len(text) - len(left))
    place = table.schema.get_field_index("text")
    return table.set_column(
        place, table.schema.field("text"), pa.array(texts, table.schema.field("text").type)
    ), np.array(lost, np.int64)


def part_hash(part: str) -> int:
    """The same for parts that differ in case or blanks only."""
    return xxhash.xxh3_64_intdigest(" ".join(part.casefold().split()).encode("utf-8", "surrogatepass"))


def _long(text: str, unit: Unit) -> list[str]:
    return [part for part in text.split(SEPARATOR[unit]) if len(part.strip()) >= LEAST[unit]]


def _without(name: str, text: str, shared: Shared) -> str:
    parts: Sequence[str] = text.split(SEPARATOR[shared.unit])
    kept = [
        part
        for part in parts
        if len(part.strip()) < LEAST[shared.unit] or shared.keeper_of(part_hash(part)) in (None, name)
    ]
    return text if len(kept) == len(parts) else SEPARATOR[shared.unit].join(kept).strip("\n")
