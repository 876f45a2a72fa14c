"""Facts: what a stage found out, in a form that the card and the report can draw without knowing the stage.

A stage puts facts into its manifest under stable names; `report` draws each by its kind, `card` quotes them. All
values are plain JSON. Text samples are redacted by whoever makes the fact: a report never decides what is sensitive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Fact = dict[str, Any]


def histogram(title: str, unit: str, values: Sequence[float], *, bins: int = 30, groups: Sequence[str] = ()) -> Fact:
    """Counts of `values` in equal bins; with `groups` (one label a value) one histogram a label over shared bins."""
    data = np.asarray(values, dtype=float)
    edges = np.histogram_bin_edges(data, bins=bins) if data.size else np.array([0.0, 1.0])
    labels = np.asarray(groups if len(groups) else ["all"] * data.size)
    series = {str(label): np.histogram(data[labels == label], edges)[0].tolist() for label in np.unique(labels)}
    return {"kind": "histogram", "title": title, "unit": unit, "edges": edges.tolist(), "series": series}


def histogram_of(title: str, unit: str, groups: Mapping[str, Sequence[np.ndarray]], *, bins: int = 30) -> Fact:
    """The same from the arrays of each label, which are never put together."""
    filled = {label: [part for part in parts if part.size] for label, parts in groups.items()}
    ends = [[part.min(), part.max()] for parts in filled.values() for part in parts]
    edges = np.histogram_bin_edges(np.array(ends, dtype=float), bins=bins) if ends else np.array([0.0, 1.0])
    series = {
        label: sum(np.histogram(part.astype(float), edges)[0] for part in parts).tolist()  # type: ignore[union-attr]
        for label, parts in filled.items()
        if parts
    }
    return {"kind": "histogram", "title": title, "unit": unit, "edges": edges.tolist(), "series": series}


def grid(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    targets: Sequence[Sequence[float | None]] | None = None,
    unit: str = "documents",
) -> Fact:
    """A matrix such as domain by form, with an optional target per cell; `None` marks a cell outside the plan."""
    return {
        "kind": "grid",
        "title": title,
        "rows": list(rows),
        "columns": list(columns),
        "unit": unit,
        "values": [list(row) for row in values],
        "targets": [list(row) for row in targets] if targets else None,
    }


def curves(
    title: str, x: str, y: str, series: Mapping[str, Sequence[tuple[float, float]]], *, log_y: bool = False
) -> Fact:
    """Lines over a shared axis, such as loss over tokens for each arm."""
    plain = {label: [[float(a), float(b)] for a, b in points] for label, points in series.items()}
    return {"kind": "curves", "title": title, "x": x, "y": y, "series": plain, "log_y": log_y}


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, caption: str = "") -> Fact:
    """A table of plain values; `caption` says what may and may not be concluded from it."""
    return {
        "kind": "table",
        "title": title,
        "columns": list(columns),
        "rows": [list(row) for row in rows],
        "caption": caption,
    }


def counts(title: str, values: Mapping[str, float], *, unit: str = "") -> Fact:
    """Named numbers, drawn as bars, largest first."""
    return {"kind": "counts", "title": title, "unit": unit, "values": dict(values)}


def samples(title: str, rows: Sequence[Mapping[str, Any]]) -> Fact:
    """Texts to read: each row has `id`, `text` (already redacted), and any of `verdict`, `reason`, `domain`, `form`."""
    return {"kind": "samples", "title": title, "rows": [dict(row) for row in rows]}


def number(title: str, value: float | int | str, *, unit: str = "") -> Fact:
    """One headline figure."""
    return {"kind": "number", "title": title, "value": value, "unit": unit}
