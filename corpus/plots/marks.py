"""The few SVG marks that the plots are made of, and the frame that makes each readable without seeing it.

Colours are classes, never values: the page's style sheet gives them one meaning in light and another in dark.
"""

from __future__ import annotations

from collections.abc import Sequence

from corpus.plots.safe import LABEL, escape

Number = float | int
SERIES = 8  # classes s0 to s7 of the style sheet


def coordinate(value: Number | str) -> str:
    """A number as SVG wants it, at most two decimals; text is escaped."""
    if isinstance(value, str):
        return escape(value, 20_000)
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def tag(name: str, *children: str, **attributes: Number | str) -> str:
    """One element. `class_` gives `class`, other underscores give hyphens; children are marks already."""
    named = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value != ""}
    head = "".join(f' {key}="{coordinate(value)}"' for key, value in named.items())
    return f"<{name}{head}>{''.join(children)}</{name}>"


def text(x: Number, y: Number, content: object, class_: str = "", anchor: str = "start", limit: int = LABEL) -> str:
    """A label; `anchor` is `start`, `middle` or `end`."""
    return tag("text", escape(content, limit), x=x, y=y, class_=class_, text_anchor="" if anchor == "start" else anchor)


def bar(x: Number, y: Number, width: Number, height: Number, class_: str, tip: str = "", **more: Number | str) -> str:
    """A rectangle with a tip for the pointer; never of negative size."""
    children = [tag("title", escape(tip, 200))] if tip else []
    return tag("rect", *children, x=x, y=y, width=max(width, 0), height=max(height, 0), class_=class_, **more)


def line(x1: Number, y1: Number, x2: Number, y2: Number, class_: str) -> str:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def path(points: Sequence[tuple[float, float]], class_: str, tip: str = "", close: bool = False) -> str:
    """A line through `points`, closed to an area when asked."""
    steps = "L".join(f"{coordinate(float(x))},{coordinate(float(y))}" for x, y in points)
    children = [tag("title", escape(tip, 200))] if tip else []
    return tag("path", *children, d=f"M{steps}{'Z' if close else ''}", class_=class_)


def drawing(width: int, height: Number, title: str, summary: str, marks: Sequence[str], class_: str = "") -> str:
    """The whole picture, scaled to its place, with a name and a sentence for those who do not see it."""
    inside = [tag("title", escape(title, 120)), tag("desc", escape(summary, 600)), *marks]
    return tag(
        "svg",
        *inside,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {round(height)}",
        role="img",
        class_=f"plot {class_}".strip(),
    )


def legend(labels: Sequence[tuple[str, str]]) -> str:
    """Swatches with names, as HTML so that it wraps; each label is (class, name)."""
    items = "".join(
        f'<li><svg class="swatch" viewBox="0 0 12 12" aria-hidden="true">{bar(0, 0, 12, 12, class_, rx=2)}</svg>'
        f"{escape(name)}</li>"
        for class_, name in labels
    )
    return f'<ul class="legend">{items}</ul>'
