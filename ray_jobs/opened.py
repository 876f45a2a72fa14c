"""The slots of a run as far as it got: those of its plan, and those that coverage put in their place."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from corpus.manifest import load_manifest, table_of
from corpus.store import Store
from generator.plan import Slot
from generator.slots import slot_from, slots_from
from generator.waves import FOLDER


def opened_slots(generated: Store, planned: Sequence[Slot]) -> tuple[list[Slot], frozenset[str]]:
    """Slots in the order of their opening, and ids of those that were dropped with attempts left.

    `generated`: the folder of the stage. While it is not complete, the plan's slots that are not open yet count too.
    """
    if manifest := load_manifest(generated):
        table = table_of(generated, manifest, "slots")
        dropped = table.filter(table["dropped"])["id"].to_pylist()
        return slots_from(table), frozenset(dropped)
    slots = {slot.id: slot for slot in planned}
    for name in generated.names(f"{FOLDER}/"):
        extra = orjson.loads(generated.read(name)).get("slots", ())
        slots |= {row["id"]: slot_from(row) for row in extra}
    return list(slots.values()), frozenset()
