"""Waves: what is asked next, as a pure function of the plan and of what was committed before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from generator.plan import Slot

FILLED = ""  # the reason of an attempt that filled its slot


def next_wave(slots: Sequence[Slot], attempts: Mapping[str, Sequence[str]], limit: int) -> list[tuple[Slot, int]]:
    """Slots to ask and the number of the attempt. `attempts` holds, for each slot, the reason of each attempt so far."""
    return [
        (slot, len(past)) for slot in slots if FILLED not in (past := attempts.get(slot.id, ())) and len(past) < limit
    ]


def shortfall(slots: Sequence[Slot], attempts: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Slots that stayed empty, by the cause of their last attempt; `not asked` where none was made."""
    causes = ((attempts.get(slot.id) or ["not asked"]) for slot in slots)
    return dict(Counter(past[-1] for past in causes if FILLED not in past))
