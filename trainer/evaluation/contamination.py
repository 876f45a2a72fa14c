"""Which items of a benchmark stand in the text that a student was trained on: said beside every score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from filters.benchmarks import Item
from filters.config import DecontaminateConfig
from filters.decontaminate import Decontaminator

BATCH = 2000  # texts looked through at once: bounds memory


@dataclass(frozen=True, slots=True)
class Seen:
    """`found` names the items that stand in the text; `checked` those that are long enough to be told from chance;
    `similar` gives the likeness of an item's code to the nearest function read, where there is any."""

    found: frozenset[str]
    checked: frozenset[str]
    similar: Mapping[str, float]


def contamination(items: Sequence[Item], texts: Iterable[str], config: DecontaminateConfig | None = None) -> Seen:
    """Look for the items in all texts. What counts as found is what `hornbook filter decontaminate` would reject."""
    config = config or DecontaminateConfig()
    index = Decontaminator(items, config)
    shares: dict[str, tuple[float, float]] = {}
    for batch in _batches(texts):
        for name, (words, code) in index.items_in(pl.Series(batch, dtype=pl.String)).items():
            before = shares.get(name, (0.0, 0.0))
            shares[name] = (max(words, before[0]), max(code, before[1]))
    found = {name for name, (words, code) in shares.items() if words >= config.coverage or code >= config.code}
    similar = {name: code for name, (_, code) in shares.items() if code > 0}
    return Seen(frozenset(found), frozenset(index.checked_items()), similar)


def _batches(texts: Iterable[str]) -> Iterable[list[str]]:
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
