"""Text and numbers made fit to be shown: bounded, with nothing in them that a page could act on or hide behind.

Whatever reaches a report may have been written by a stranger on the web or by a model. Here it loses its length and its
invisible characters (controls, direction overrides, tags), which appear as what they are; escaping comes after that.
"""

from __future__ import annotations

import html
import math
import re
from typing import Any

LABEL = 60  # characters of a label in a plot
CELL = 240  # characters of a table cell
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f"
_VISIBLE = re.compile(f"[{_DIRECTION}]")
_NEWLINES = re.compile("\r\n|[\r\u0085\u2028\u2029]")
_BROKEN = re.compile("[\ud800-\udfff\x80-\x9f\ufffe\uffff]")
_CONTROLS = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"} | {0x7F: "\u2421"}


def shown(value: Any, limit: int = LABEL) -> str:
    """`value` as at most `limit` characters, cut with an ellipsis; what is invisible or unpaired is made visible."""
    text = value if isinstance(value, str) else number(value)
    cut = text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
    cut = _NEWLINES.sub("\n", cut).translate(_CONTROLS)
    return _VISIBLE.sub(lambda found: f"[U+{ord(found[0]):04X}]", _BROKEN.sub("\ufffd", cut))


def escape(value: Any, limit: int = LABEL) -> str:
    """`shown(value)` for use between tags and inside quoted attributes."""
    return html.escape(shown(value, limit), quote=True)


def number(value: Any) -> str:
    """A figure for people: thousands apart, four significant digits, an en dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, float):
        return _decimal(value)
    return str(value)


def short(value: float) -> str:
    """A figure for an axis: 12k, 3.4M."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def duration(seconds: float) -> str:
    """Seconds for people: `0.4 s`, `42 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def size(count: int) -> str:
    """Bytes for people, in decimal units."""
    for unit, letter in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {letter}"
    return f"{count} B"


def share(part: float, whole: float) -> str:
    """`part` of `whole` in percent; an en dash when there is no whole."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _decimal(value: float) -> str:
    if not math.isfinite(value):
        return "n/a"
    if value == int(value) and abs(value) < 1e15:
        return number(int(value))
    text = f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    return text.replace("-", "−")
