"""Tables: facts that are tables, and the numbers behind each plot."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from corpus.facts import Fact
from corpus.plots.counts import ranked
from corpus.plots.grid import target_of
from corpus.plots.histogram import median_of
from corpus.plots.safe import CELL, escape, number

ROWS = 200  # of a table, 30 columns at most
COLUMNS = 30
FOLD = 10  # rows of a longer table that stand in the open
_ID = re.compile("[0-9a-f]{32,64}")


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, caption: str = "") -> str:
    """An HTML table that scrolls sideways in its own box; figures stand to the right, ids are shortened."""
    names = list(columns[:COLUMNS])
    cells = [_column([row[index] if index < len(row) else "" for row in rows[:ROWS]]) for index in range(len(names))]
    head = "".join(
        f'<th scope="col"{side}>{escape(name, CELL)}</th>' for name, (side, _) in zip(names, cells, strict=True)
    )
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*(made for _, made in cells), strict=True))
    said = f"<caption>{escape(caption, 600)}</caption>" if caption else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption or "table")}"><table>{said}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{_cut(len(rows), len(columns))}"
    )


def fact_table(fact: Fact) -> str:
    """The fact of kind `table`."""
    columns, rows = fact["columns"], fact["rows"]
    if len(rows) <= FOLD + 2:
        return table(columns, rows)
    whole = f"<details><summary>Show all {number(len(rows))} rows</summary>{table(columns, rows)}</details>"
    return table(columns, rows[:FOLD]) + whole


def numbers(fact: Fact) -> str:
    """The figures behind a plot, for those who read tables better; empty for kinds that are text already."""
    behind = {"histogram": _histogram, "counts": _counts, "grid": _grid, "curves": _curves}.get(fact["kind"])
    return f"<details><summary>Show the numbers</summary>{behind(fact)}</details>" if behind else ""


def _cut(rows: int, columns: int) -> str:
    """A line that says what a large table leaves out; empty for others."""
    left = [(rows - ROWS, "rows"), (columns - COLUMNS, "columns")]
    said = " and ".join(f"{number(count)} further {what}" for count, what in left if count > 0)
    return f'<p class="small">{said} are not shown.</p>' if said else ""


def _column(values: Sequence[Any]) -> tuple[str, list[str]]:
    """Attributes of a column's cells, and the cells; its decimals are as many in every row."""
    figures = bool(values) and not any(isinstance(value, str) for value in values)
    side = ' class="figure"' if figures else ""
    decimals = max((_decimals(value) for value in values), default=0)
    return side, [f"<td{side}>{_content(value, decimals)}</td>" for value in values]


def _content(value: Any, decimals: int) -> str:
    if isinstance(value, str) and _ID.fullmatch(value):
        return f'<code title="{value}">{value[:12]}</code>'
    if isinstance(value, float) and decimals and math.isfinite(value) and abs(value) < 10_000:
        return escape(f"{value:.{decimals}f}".replace("-", "−"))
    return escape(value, CELL)


def _decimals(value: Any) -> int:
    """Digits after the point that `number` would show."""
    return len(number(value).partition(".")[2]) if isinstance(value, float) and abs(value) < 10_000 else 0


def _histogram(fact: Fact) -> str:
    edges = fact["edges"]
    medians = [(label, sum(values), median_of(edges, values)) for label, values in fact["series"].items()]
    bins = [
        [f"{number(float(low))} – {number(float(high))}", *(values[index] for values in fact["series"].values())]
        for index, (low, high) in enumerate(pairwise(edges))
    ]
    return table(["group", "count", "median (from the bins)"], medians) + table(
        [fact.get("unit") or "from – to", *fact["series"]], bins
    )


def _counts(fact: Fact) -> str:
    return table(["name", fact.get("unit") or "value"], ranked(fact["values"], ROWS))


def _grid(fact: Fact) -> str:
    rows = []
    for y, name in enumerate(fact["rows"]):
        cells = []
        for x, value in enumerate(fact["values"][y]):
            target = target_of(fact, y, x)
            cells.append(f"{number(value)} / {number(target)}" if target else number(value))
        rows.append([name, *cells])
    return table(["", *fact["columns"]], rows)


def _curves(fact: Fact) -> str:
    rows = [
        [label, len(points), *(points[0] if points else (None, None)), *(points[-1] if points else (None, None))]
        for label, points in fact["series"].items()
    ]
    x, y = fact["x"], fact["y"]
    return table(["line", "points", f"first {x}", f"first {y}", f"last {x}", f"last {y}"], rows)
