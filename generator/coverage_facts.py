"""What coverage tells: cells with their target and what they got, for the report, the card and `hornbook status`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from corpus.facts import Fact, counts, grid, number, table
from generator.collapse import Alarm
from generator.config import Axis
from generator.coverage import CellState

JOINT = " · "
LISTED = 200  # cells in the table of short ones, the emptiest first


def coverage_facts(cells: Sequence[CellState], axes: Sequence[Axis], alarms: Sequence[Alarm]) -> dict[str, Fact]:
    """Facts by name: the grid, how many cells reached their target, the short ones with their cause, and the alarms."""
    short = sorted((cell for cell in cells if cell.cause), key=lambda cell: cell.filled / cell.wanted)
    facts = {
        "coverage": _grid(cells, axes),
        "coverage.reached": number(
            "Cells that reached their target", len(cells) - len(short), unit=f"of {len(cells):,}"
        ),
    }
    if short:
        missing = Counter[str]()
        for cell in short:
            missing[cell.cause] += cell.wanted - cell.filled
        facts["yield.short"] = counts("Documents that are missing in their cells, by cause", missing, unit="documents")
        rows = [[JOINT.join(cell.key), cell.wanted, cell.filled, cell.issued, cell.cause] for cell in short[:LISTED]]
        facts["coverage.short"] = table("Cells that are short of their target", ["cell", "target", "kept", "slots", "cause"],
                                        rows, caption="Slots count replacements of slots that stayed empty.")  # fmt: skip
    if alarms:
        facts["diversity.alarms"] = table(
            "Templates whose texts looked alike", ["template", "way", "alike in", "what", "texts", "of", "then"],
            [[JOINT.join(a.template), a.variant + 1, a.kind, a.what, a.count, a.of, a.act] for a in alarms],
        )  # fmt: skip
    return facts


def coverage_state(cells: Iterable[CellState]) -> list[dict[str, Any]]:
    """One record a cell for `hornbook status`: target, kept, open slots, and why it is closed or short so far."""
    return [
        {"cell": JOINT.join(cell.key), "target": cell.wanted, "kept": cell.filled, "pending": cell.pending,
         "closed": cell.closed, "lost": dict(cell.lost)}
        for cell in cells
    ]  # fmt: skip


def _grid(cells: Sequence[CellState], axes: Sequence[Axis]) -> Fact:
    """Rows are all axes but the last, which makes the columns; an axis with a single value is left out."""
    said = [place for place in range(len(axes)) if len({cell.key[place] for cell in cells}) > 1] or [0]
    names = {cell.key: tuple(cell.key[place] for place in said) for cell in cells}
    rows = sorted({JOINT.join(name[:-1]) or "all" for name in names.values()})
    columns = sorted({name[-1] for name in names.values()})
    found = {(JOINT.join(names[cell.key][:-1]) or "all", names[cell.key][-1]): cell for cell in cells}
    values = [[found[row, column].filled if (row, column) in found else None for column in columns] for row in rows]
    targets = [[found[row, column].wanted if (row, column) in found else None for column in columns] for row in rows]
    title = f"Coverage: documents kept by {' and '.join(axes[place] for place in said)}"
    return grid(title, rows, columns, values, targets)
