"""Named numbers as bars, largest first."""

from __future__ import annotations

import math

from corpus.facts import Fact
from corpus.plots.axes import Scale
from corpus.plots.marks import bar, drawing, text
from corpus.plots.safe import duration, number, share

WIDTH, ROW, NAMES, FIGURES = 460, 24, 168, 104
ROWS = 14  # further names are summed


def counts(fact: Fact, class_: str = "s0") -> str:
    """Bars with their figures; shares too where the numbers are counts. A unit of `s` or `seconds` gives durations."""
    rows = ranked(fact["values"])
    total = sum(value for _, value in rows)
    unit = fact.get("unit", "")
    across = Scale(0, max([value for _, value in rows] + [0]) or 1, 0, WIDTH - NAMES - FIGURES)
    marks = []
    for index, (name, value) in enumerate(rows):
        y = index * ROW
        marks.append(text(NAMES - 10, y + 16, name, "label", "end", limit=26))
        width = max(across(max(value, 0)), 1.5 if value else 0)
        marks.append(bar(NAMES, y + 4, width, ROW - 8, class_, f"{name}: {number(value)} {unit}", rx=2))
        marks.append(text(NAMES + width + 8, y + 16, _figure(value, total, unit), "tick"))
    summary = "; ".join(f"{name} {number(value)}" for name, value in rows)
    return drawing(WIDTH, max(len(rows), 1) * ROW, fact["title"], f"Bars, {unit or 'counts'}: {summary}.", marks)


def ranked(values: dict[str, float], limit: int = ROWS) -> list[tuple[str, float]]:
    """Largest first, equal ones by name; what is beyond `limit` summed; what is not finite left out."""
    finite = [(name, value) for name, value in values.items() if math.isfinite(value)]
    order = sorted(finite, key=lambda item: (-item[1], item[0]))
    if len(order) <= limit:
        return order
    rest = order[limit - 1 :]
    return [*order[: limit - 1], (f"{len(rest)} others", sum(value for _, value in rest))]


def _figure(value: float, total: float, unit: str) -> str:
    if unit in ("s", "seconds"):
        return duration(value)
    if isinstance(value, int) and total:
        return f"{number(value)} · {share(value, total)}"
    return number(value)
