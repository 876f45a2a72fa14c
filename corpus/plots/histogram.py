"""Histograms: bars for one group, stacked bars for verdicts, one row a group for everything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from corpus.facts import Fact
from corpus.plots.axes import Scale, span
from corpus.plots.marks import SERIES, bar, drawing, legend, line, text
from corpus.plots.safe import number, short

WIDTH, LEFT, RIGHT = 460, 44, 12
PLOT, ROW = 150, 58  # heights: of a plot with one scale, of a row of a plot with one scale a group
GROUPS = 8  # further groups are drawn together
VERDICTS = {"kept": "kept", "keep": "kept", "rejected": "rejected", "reject": "rejected", "unused": "unused"}


def histogram(fact: Fact) -> str:
    """Counts over shared bins; `thresholds` (name to value), where the fact has them, are marked."""
    series = _bounded(fact["series"])
    if len(series) > 1 and not set(series) <= set(VERDICTS):
        return _rows(fact, series)
    return _stacked(fact, series)


def median_of(edges: Sequence[float], counts: Sequence[int]) -> float | None:
    """The median as far as the bins tell it: linear within the bin that holds it."""
    total, seen = sum(counts), 0.0
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        if count and seen + count >= total / 2:
            return low + (high - low) * (total / 2 - seen) / count
        seen += count
    return None


def _bounded(series: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """At most `GROUPS` groups, largest first; the rest summed as "others"."""
    ranked = sorted(series.items(), key=lambda item: (-sum(item[1]), item[0]))
    named = {label: list(values) for label, values in ranked[:GROUPS]}
    rest = [values for _, values in ranked[GROUPS:]]
    if rest:
        named[f"{len(rest)} others"] = [sum(column) for column in zip(*rest, strict=True)]
    return named


def _stacked(fact: Fact, series: Mapping[str, Sequence[int]]) -> str:
    edges = fact["edges"]
    ordered = sorted(series, key=lambda label: list(VERDICTS).index(label) if label in VERDICTS else 0)
    totals = [sum(column) for column in zip(*series.values(), strict=True)] or [0]
    top = 30 if fact.get("thresholds") else 14
    base = top + PLOT
    across = Scale(edges[0], edges[-1], LEFT, WIDTH - RIGHT)
    up = Scale(0, span(totals, zero=True)[1], base, top)
    marks = [*_across_axis(fact, across, base), *_up_axis(up)]
    floor = [0] * len(totals)
    for label in ordered:
        marks += _bars(edges, series[label], floor, across, up, VERDICTS.get(label, "s0"), fact.get("unit", ""))
        floor = [below + count for below, count in zip(floor, series[label], strict=True)]
    marks += _thresholds(fact, across, top, base)
    key = legend([(VERDICTS[label], label) for label in ordered]) if len(ordered) > 1 else ""
    return drawing(WIDTH, base + 38, fact["title"], _summary(fact, series), marks) + key


def _bars(
    edges: Sequence[float],
    counts: Sequence[int],
    floor: Sequence[int],
    across: Scale,
    up: Scale,
    class_: str,
    unit: str,
) -> list[str]:
    marks = []
    for index, count in enumerate(counts):
        if count:
            x, right = across(edges[index]), across(edges[index + 1])
            y, bottom = up(floor[index] + count), up(floor[index])
            tip = f"{number(edges[index])} to {number(edges[index + 1])} {unit}: {number(count)}"
            marks.append(bar(x + 0.5, y, max(right - x - 1, 0.8), max(bottom - y, 1.0), class_, tip))
    return marks


def _rows(fact: Fact, series: Mapping[str, Sequence[int]]) -> str:
    """One row a group, each to its own height: groups of very different size keep their shapes."""
    edges, top = fact["edges"], 24 if fact.get("thresholds") else 6
    across = Scale(edges[0], edges[-1], LEFT, WIDTH - RIGHT)
    base = top + ROW * len(series)
    marks = _across_axis(fact, across, base)
    for index, (label, counts) in enumerate(series.items()):
        floor = top + ROW * (index + 1)
        up = Scale(0, max(max(counts, default=0), 1), floor, floor - ROW + 16)
        marks.append(line(LEFT, floor, WIDTH - RIGHT, floor, "axis"))
        marks += _bars(edges, counts, [0] * len(counts), across, up, f"s{index % SERIES}", fact.get("unit", ""))
        middle = median_of(edges, counts)
        if middle is not None:
            marks.append(line(across(middle), floor - ROW + 16, across(middle), floor, "median"))
        note = f"{label} · {number(sum(counts))}" + (f" · median {number(float(middle))}" if middle is not None else "")
        half = len(counts) // 2
        left = sum(counts[half:]) > sum(counts[:half])  # the name stands where the bars are low
        place, anchor = (LEFT, "start") if left else (WIDTH - RIGHT, "end")
        marks.append(text(place, floor - ROW + 27, note, "label halo", anchor))
    marks += _thresholds(fact, across, top, base)
    return drawing(WIDTH, base + 38, fact["title"], _summary(fact, series), marks)


def _across_axis(fact: Fact, across: Scale, base: float) -> list[str]:
    marks = [line(LEFT, base, WIDTH - RIGHT, base, "axis")]
    for tick in across.ticks(6):
        marks.append(text(across(tick), base + 16, short(tick), "tick", "middle"))
    return [*marks, text((LEFT + WIDTH - RIGHT) / 2, base + 33, fact.get("unit", ""), "name", "middle")]


def _up_axis(up: Scale) -> list[str]:
    marks = []
    for tick in [value for value in up.ticks(4) if value > 0]:
        marks.append(line(LEFT, up(tick), WIDTH - RIGHT, up(tick), "grid"))
        marks.append(text(LEFT - 6, up(tick) + 4, short(tick), "tick", "end"))
    return marks


def _thresholds(fact: Fact, across: Scale, top: float, base: float) -> list[str]:
    marks = []
    for name, value in (fact.get("thresholds") or {}).items():
        if across.low <= value <= across.high:
            x, right = across(value), across(value) > WIDTH * 0.6
            marks.append(line(x, top - 20, x, base, "threshold"))
            label = f"{name} {number(float(value))}"
            marks.append(text(x - 4 if right else x + 4, top - 12, label, "note halo", "end" if right else "start"))
    return marks


def _summary(fact: Fact, series: Mapping[str, Sequence[int]]) -> str:
    parts = []
    for label, counts in series.items():
        middle = median_of(fact["edges"], counts)
        parts.append(f"{label}: {number(sum(counts))} values, median {number(middle and float(middle))}")
    return (
        f"Histogram from {number(float(fact['edges'][0]))} to {number(float(fact['edges'][-1]))} "
        f"{fact.get('unit', '')}. {'; '.join(parts)}."
    )
