"""A heat map of cells, each against its target where it has one."""

from __future__ import annotations

from corpus.facts import Fact
from corpus.plots.marks import bar, drawing, legend, text
from corpus.plots.safe import number, shown

WIDTH, NAMES, ROW = 960, 190, 38
ROWS, COLUMNS = 40, 24  # a larger grid is cut, and says so
STEPS = 5  # shades h1 to h5


def grid(fact: Fact) -> str:
    """Filled cells shaded by value (by share of the target where there are targets), short ones outlined."""
    rows, columns = fact["rows"][:ROWS], fact["columns"][:COLUMNS]
    width = min((WIDTH - NAMES) / max(len(columns), 1), 150)
    high = max([value for row in fact["values"] for value in row if value is not None] + [0]) or 1
    headings = [_lines(column, width) for column in columns]
    head = 18 + 15 * max((len(lines) for lines in headings), default=1)
    marks = [_heading(lines, NAMES + width * (index + 0.5), head) for index, lines in enumerate(headings)]
    for y, row in enumerate(rows):
        marks.append(text(NAMES - 12, head + y * ROW + 23, row, "label", "end", limit=28))
        for x, column in enumerate(columns):
            place = (NAMES + x * width + 1.5, head + y * ROW + 1.5, width - 3, ROW - 3)
            marks.append(_cell(fact, f"{row} × {column}", y, x, place, high))
    height = head + ROW * len(rows) + 4
    picture = drawing(WIDTH, height, fact["title"], _summary(fact), marks, "wide")
    return picture + _key(bool(fact.get("targets"))) + _cut(fact)


def _key(has_targets: bool) -> str:
    filled = [("h5", "target reached"), ("h2 short", "short of its target")] if has_targets else [("h4", "more")]
    return legend([*filled, ("hole", "not planned")])


def _cut(fact: Fact) -> str:
    """A line that says what a large grid leaves out; the table beside it holds more."""
    if len(fact["rows"]) <= ROWS and len(fact["columns"]) <= COLUMNS:
        return ""
    return f'<p class="small">Drawn are the first {ROWS} rows and {COLUMNS} columns at most.</p>'


def short_cells(fact: Fact) -> list[tuple[str, str, float, float]]:
    """(row, column, value, target) of every cell below its target, the emptiest first."""
    found = []
    for y, row in enumerate(fact["rows"]):
        for x, column in enumerate(fact["columns"]):
            value, target = fact["values"][y][x], target_of(fact, y, x)
            if target and (value or 0) < target:
                found.append((row, column, value or 0, target))
    return sorted(found, key=lambda cell: (cell[2] / cell[3], cell[0], cell[1]))


def target_of(fact: Fact, y: int, x: int) -> float | None:
    """The target of a cell; `None` without one."""
    return fact["targets"][y][x] if fact.get("targets") else None


def _cell(fact: Fact, name: str, y: int, x: int, place: tuple[float, float, float, float], high: float) -> str:
    value, target = fact["values"][y][x], target_of(fact, y, x)
    left, top, width, height = place
    if value is None and not target:
        return bar(*place, "hole", f"{name}: not in the plan", rx=3)
    part = min((value or 0) / (target or high), 1.0)
    step = max(1, round(part * STEPS)) if value else 0
    is_short = bool(target and (value or 0) < target)
    figures = f"{number(value or 0)} / {number(target)}" if target else number(value)
    shape = bar(*place, f"h{step}{' short' if is_short else ''}", f"{name}: {figures} {fact.get('unit', '')}", rx=3)
    return shape + text(left + width / 2, top + height / 2 + 4, figures, f"cell on{step}", "middle")


def _lines(column: object, width: float) -> list[str]:
    """A column's name in up to three lines of its width."""
    room, lines = max(int(width / 7.2), 6), [""]
    for word in shown(column).replace("_", " ").split():
        joined = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], joined] if len(joined) <= room else [*lines, word]
    return [shown(part, room + 2) for part in lines if part][:3]


def _heading(lines: list[str], x: float, head: float) -> str:
    last = len(lines) - 1
    return "".join(text(x, head - 11 - 15 * (last - i), part, "label", "middle") for i, part in enumerate(lines))


def _summary(fact: Fact) -> str:
    filled = sum(value is not None and value > 0 for row in fact["values"] for value in row)
    said = (
        f"{len(fact['rows'])} rows by {len(fact['columns'])} columns, {filled} cells with {fact.get('unit', 'values')}"
    )
    return f"{said}, {len(short_cells(fact))} short of their target." if fact.get("targets") else f"{said}."
