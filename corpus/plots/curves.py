"""Lines over a shared axis, named at their ends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from corpus.facts import Fact
from corpus.plots.axes import Scale, span
from corpus.plots.marks import SERIES, drawing, line, path, text
from corpus.plots.safe import number, short

WIDTH, HEIGHT = 960, 380
LEFT, RIGHT, TOP, BASE = 60, 190, 18, 330
POINTS, LINES = 400, 12  # more points than pixels help nobody; more lines than this cannot be told apart
Points = list[tuple[float, float]]


def curves(fact: Fact) -> str:
    """One line a series; `log_y` in the fact makes the upright axis logarithmic (values of zero or less left out)."""
    series, count = _clean(fact), len(fact["series"])
    cut = f'<p class="small">Drawn are {LINES} of {count} lines.</p>' if count > LINES else ""
    flat = [point for points in series.values() for point in points]
    across = Scale(*span([x for x, _ in flat]), LEFT, WIDTH - RIGHT)
    up = _up_scale([y for _, y in flat], bool(fact.get("log_y")))
    marks = [*_axes(fact, across, up)]
    for index, points in enumerate(series.values()):
        places = [(across(x), up(y)) for x, y in points if y <= up.high]
        if places:
            marks.append(path(places, f"line s{index % SERIES} dash{index % 4}"))
    marks += _end_labels(series, up)
    above = sum(y > up.high for _, y in flat)
    if above:
        note = f"{above} of {len(flat)} points, mostly the first, lie above"
        marks.append(text(WIDTH - RIGHT, 10, note, "note", "end"))
    return drawing(WIDTH, HEIGHT, fact["title"], _summary(fact, series), marks, "wide") + cut


def thinned(points: Points, limit: int = POINTS) -> Points:
    """At most about `limit` points that keep each stretch's first, lowest and highest value and both ends."""
    if len(points) <= limit:
        return points
    width = math.ceil(len(points) / (limit // 3))
    kept: set[int] = {len(points) - 1}
    for start in range(0, len(points), width):
        stretch = range(start, min(start + width, len(points)))
        kept |= {start, min(stretch, key=lambda i: points[i][1]), max(stretch, key=lambda i: points[i][1])}
    return [points[index] for index in sorted(kept)]


def _clean(fact: Fact) -> dict[str, Points]:
    series = {}
    for label, points in list(fact["series"].items())[:LINES]:
        good = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y) and (y > 0 or not fact.get("log_y"))]
        if good:
            series[label] = thinned(good)
    return series


def _up_scale(values: Sequence[float], log: bool) -> Scale:
    low, high = span(values)
    high = _without_start(values, low, high)
    if log:
        return Scale(max(low, 1e-12) / 1.05, high * 1.05, BASE, TOP, log=True)
    room = (high - low) * 0.05
    return Scale(low - room, high + room, BASE, TOP)


def _without_start(values: Sequence[float], low: float, high: float) -> float:
    """A lower top where the first steps of a steep curve would flatten all that follows; a note then says so."""
    ordered = sorted(values)
    usual = ordered[int(len(ordered) * 0.96)] if len(ordered) >= 50 else high
    return usual if high - low > 2.5 * (usual - low) > 0 else high


def _axes(fact: Fact, across: Scale, up: Scale) -> list[str]:
    marks = [line(LEFT, BASE, WIDTH - RIGHT, BASE, "axis")]
    for tick in up.ticks(5):
        marks.append(line(LEFT, up(tick), WIDTH - RIGHT, up(tick), "grid"))
        marks.append(text(LEFT - 8, up(tick) + 4, short(tick), "tick", "end"))
    for tick in across.ticks(7):
        marks.append(text(across(tick), BASE + 18, short(tick), "tick", "middle"))
    marks.append(text((LEFT + WIDTH - RIGHT) / 2, BASE + 40, fact["x"], "name", "middle"))
    marks.append(text(4, 10, fact["y"] + (" (log scale)" if fact.get("log_y") else ""), "name"))
    return marks


def _end_labels(series: Mapping[str, Points], up: Scale) -> list[str]:
    """Each line's name and last value beside its end, moved apart where they would touch."""
    wanted = sorted(
        (up(points[-1][1]), index, label, points[-1][1]) for index, (label, points) in enumerate(series.items())
    )
    marks, below = [], -math.inf
    for y, index, label, value in wanted:
        place = max(y, below + 17)
        below = place
        marks.append(
            text(
                WIDTH - RIGHT + 10, place + 4, f"{label} · {number(float(value))}", f"label t{index % SERIES}", limit=30
            )
        )
    return marks


def _summary(fact: Fact, series: Mapping[str, Points]) -> str:
    ends = [f"{label} from {number(float(p[0][1]))} to {number(float(p[-1][1]))}" for label, p in series.items()]
    return f"{fact['y']} over {fact['x']}: {'; '.join(ends) or 'no points'}."
