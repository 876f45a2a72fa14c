"""Values as Markdown that cannot break out of its cell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from corpus.facts import Fact

BAR = 20  # characters of the longest bar
ROWS = 40  # of a quoted fact; the report has them all
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&])")


def escape(text: str) -> str:
    """Plain text as Markdown that shows exactly it, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def number(value: float) -> str:
    """A figure with thousands apart, and as many decimals as it needs."""
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def percent(part: float, whole: float) -> str:
    """A share with one decimal."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def bar(value: float, largest: float) -> str:
    """A bar of blocks, at least one for anything that is there at all."""
    return "█" * max(1, round(BAR * value / largest)) if value and largest else ""


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], *, raw: bool = False) -> str:
    """A table with figures to the right; `raw` cells are Markdown already and only kept inside their cell."""
    body = [[_cell(value, raw) for value in row] for row in rows]
    right = [
        bool(rows) and all(isinstance(row[i], (int, float)) or _figure(row[i]) for row in rows)
        for i in range(len(head))
    ]
    lines = [list(head), ["---:" if flag else ":---" for flag in right], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def fact_text(fact: Fact) -> str:
    """A fact of a kind that reads well as text; empty for plots and samples, which the report shows."""
    kind = fact.get("kind")
    if kind == "table":
        rows = fact["rows"][:ROWS]
        more = (
            f"\n\n{number(len(fact['rows']) - ROWS)} more rows are in the report." if len(fact["rows"]) > ROWS else ""
        )
        caption = f"\n\n*{escape(fact['caption'])}*" if fact.get("caption") else ""
        return table([escape(name) for name in fact["columns"]], rows) + more + caption
    if kind == "counts":
        largest = max(fact["values"].values(), default=0)
        rows = [
            [name, value, bar(value, largest)]
            for name, value in sorted(fact["values"].items(), key=lambda item: -item[1])
        ]
        return table(["", escape(fact.get("unit") or "count"), ""], rows[:ROWS])
    if kind == "number":
        value = fact["value"]
        return f"**{number(value) if isinstance(value, (int, float)) else escape(value)}** {escape(fact.get('unit') or '')}".strip()
    return ""


def _cell(value: Any, raw: bool) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value).replace("|", "\\|").replace("\n", " ") if raw else _code_or_escaped(str(value))
    return number(value)


def _code_or_escaped(text: str) -> str:
    inside = text[1:-1]
    if len(text) > 2 and text[0] == text[-1] == "`" and "`" not in inside and "|" not in inside and "\n" not in inside:
        return text
    return escape(text)


def _figure(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.endswith(" %"))
