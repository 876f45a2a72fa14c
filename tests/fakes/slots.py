"""What a finished generate stage holds, read from the raw Parquet files and not through our own readers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq


@dataclass(frozen=True)
class Filled:
    """Every kept (slot, attempt, text) and every refused (id, reason), sorted, copies and all."""

    kept: list[tuple[str, int, str]]
    refused: list[tuple[str, str]]

    @property
    def slots(self) -> Counter[str]:
        """How often each slot is kept."""
        return Counter(slot for slot, _, _ in self.kept)


def filled(stage: Path) -> Filled:
    """The rows below `stage`."""
    documents = [row for path in stage.glob("documents/*.parquet") for row in pq.read_table(path).to_pylist()]
    rejected = [row for path in stage.glob("rejected/*.parquet") for row in pq.read_table(path).to_pylist()]
    return Filled(
        sorted((row["lineage"]["slot_id"], row["lineage"]["attempt"], row["text"]) for row in documents),
        sorted((row["id"], row["reason"]) for row in rejected),
    )


def difference(whole: Filled, found: Filled) -> tuple[int, int]:
    """Slots of `whole` that are lost in `found`, and slots that are there more than once."""
    return len(whole.slots.keys() - found.slots.keys()), sum(times - 1 for times in found.slots.values())
