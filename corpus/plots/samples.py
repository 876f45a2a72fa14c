"""Texts to read, each a card with its verdict. They come redacted by their maker; here they are bounded and escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpus.facts import Fact
from corpus.plots.safe import escape, number

TEXT, OPEN, LINES = 6_000, 700, 18  # characters shown of a text; characters and lines before one asks for more
CARDS = 50  # samples of a fact
KNOWN = ("id", "text", "verdict", "reason", "detail", "domain", "topic", "form", "source", "audience", "language")


def samples(fact: Fact, verdict: str = "") -> str:
    """Cards for the first `CARDS` rows; `verdict` stands for rows that name none."""
    rows = fact["rows"]
    cards = "".join(card(row, verdict) for row in rows[:CARDS])
    more = (
        f'<p class="small">{number(len(rows) - CARDS)} further samples are in the dataset.</p>'
        if (len(rows) > CARDS)
        else ""
    )
    return f'<div class="cards">{cards}</div>{more}'


def card(row: Mapping[str, Any], verdict: str = "") -> str:
    """One sample: where it stands, why, and its text with every line break as it is."""
    said = str(row.get("verdict") or verdict)
    tone = {"kept": "kept", "keep": "kept", "rejected": "rejected", "reject": "rejected"}.get(said, "neutral")
    badge = f'<span class="badge {tone}">{escape(said, 40)}</span>' if said else ""
    reason = f'<span class="reason">{escape(row["reason"], 80)}</span>' if row.get("reason") else ""
    labels = [row[key] for key in ("source", "domain", "topic", "form", "audience", "language") if row.get(key)]
    more = [
        f"{key} {number(value)}" for key, value in row.items() if key not in KNOWN and isinstance(value, (int, float))
    ]
    where = escape(" · ".join([*map(str, labels), *more]), 200)
    detail = f'<p class="detail">{escape(row["detail"], 500)}</p>' if row.get("detail") else ""
    return (
        f'<article class="card" data-verdict="{tone}">'
        f'<header>{badge}{reason}<span class="where">{where}</span></header>'
        f"{detail}{_body(str(row.get('text', '')))}<footer><code>{escape(row.get('id', ''), 40)}</code></footer>"
        "</article>"
    )


def _body(text: str) -> str:
    start = f'<p class="text{" code" if _is_laid_out(text) else ""}" dir="auto">'
    cut = _fold(text)
    if cut == len(text):
        return f"{start}{escape(text, OPEN)}</p>"
    note = f"{number(len(text))} characters" + (f", the first {number(TEXT)} shown" if len(text) > TEXT else "")
    rest = f"{start}…{escape(text[cut:TEXT].lstrip(), TEXT)}</p>"
    first = escape(text[:cut].rstrip(), OPEN + 1)
    return f"{start}{first}…</p><details><summary>Read on ({note})</summary>{rest}</details>"


def _fold(text: str) -> int:
    """How many characters stand in the open: `OPEN` or `LINES` lines, cut between words where there is a space."""
    end = min(len(text), OPEN)
    if text.count("\n", 0, end) >= LINES:
        end = len("\n".join(text[:end].split("\n")[:LINES]))
    if end < len(text):
        space = text.rfind(" ", max(end - 80, 0), end)
        end = space if end == OPEN and space > 0 else end
    return end


def _is_laid_out(text: str) -> bool:
    """Whether a fifth of its lines are indented, as in code and tables: those need letters of one width."""
    lines = [line for line in text[:TEXT].split("\n") if line.strip()]
    return 5 * sum(line.startswith(("    ", "\t")) for line in lines) > len(lines)
