"""Slots as a table: those that a run opened, so that any of its prompts can be rendered again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import pyarrow as pa

from generator.plan import Cell, Slot

_CELL = tuple(item.name for item in fields(Cell))
SLOTS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        *((name, pa.string()) for name in _CELL),
        ("ordinal", pa.int32()),
        ("seed_ids", pa.list_(pa.string())),
        ("variant", pa.int32()),
        ("dropped", pa.bool_()),
    ]
)


def slots_table(slots: Sequence[Slot], dropped: Collection[str] = ()) -> pa.Table:
    """Slots to an Arrow table of schema `SLOTS`, in their order; `dropped` names those that got no further attempt."""
    rows = [{**slot_record(slot), "dropped": slot.id in dropped} for slot in slots]
    return pa.Table.from_pylist(rows, schema=SLOTS)


def slots_from(table: pa.Table) -> list[Slot]:
    """An Arrow table of schema `SLOTS` back to slots."""
    return [slot_from(row) for row in table.to_pylist()]


def slot_record(slot: Slot) -> dict[str, Any]:
    """Plain values of a slot."""
    own = {"id": slot.id, "ordinal": slot.ordinal, "seed_ids": list(slot.seed_ids), "variant": slot.variant}
    return {**asdict(slot.cell), **own}


def slot_from(record: Mapping[str, Any]) -> Slot:
    """A slot of its plain values."""
    cell = Cell(*(record[name] for name in _CELL))
    return Slot(record["id"], cell, record["ordinal"], tuple(record["seed_ids"]), record["variant"])
