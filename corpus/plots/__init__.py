"""Facts drawn: data in, SVG or HTML text out, one file a kind."""

from __future__ import annotations

import json
from collections.abc import Callable

from corpus.errors import StateError
from corpus.facts import Fact
from corpus.plots.counts import counts
from corpus.plots.curves import curves
from corpus.plots.grid import grid
from corpus.plots.histogram import histogram
from corpus.plots.safe import escape, number
from corpus.plots.samples import samples
from corpus.plots.tables import fact_table


def figure(fact: Fact) -> str:
    """One headline figure with its unit."""
    return f'<p class="big">{escape(number(fact["value"]), 40)} <small>{escape(fact.get("unit", ""), 40)}</small></p>'


RENDERERS: dict[str, Callable[[Fact], str]] = {
    "histogram": histogram,
    "grid": grid,
    "curves": curves,
    "table": fact_table,
    "counts": counts,
    "samples": samples,
    "number": figure,
}


def draw(name: str, fact: Fact) -> str:
    """The body of a fact; an unknown kind is shown as its JSON. One that lacks its fields is a `StateError`."""
    renderer = RENDERERS.get(fact.get("kind", ""))
    if renderer is None:
        return f"<pre>{escape(json.dumps(fact, indent=1, ensure_ascii=False), 4_000)}</pre>"
    try:
        return renderer(fact)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise StateError(
            f"fact {name!r} of kind {fact['kind']!r} cannot be drawn: {type(error).__name__}: {error}",
            hint="make facts with the functions of corpus/facts.py",
        ) from error
