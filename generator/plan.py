"""The plan: which slots there are. Fixed by recipe and library before the first request; more documents extend it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from corpus.errors import RecipeError
from corpus.facts import Fact, grid
from corpus.ids import digest
from generator.config import GenerateConfig
from prompts.library import Domain, Library


@dataclass(frozen=True, slots=True)
class Cell:
    """A place in the grid of diversity."""

    domain: str
    topic: str
    form: str
    audience: str
    language: str
    style: str


@dataclass(frozen=True, slots=True)
class Slot:
    """One text to be written. Exactly-once counts slots."""

    id: str
    cell: Cell
    ordinal: int


def plan_slots(config: GenerateConfig, library: Library, seed: int) -> list[Slot]:
    """`config.documents` slots, spread evenly over domain × form, no cell used again before all were used once."""
    domains = _chosen(config.domains, library.domains, "domain")
    lanes = [lane for name in domains for lane in _lanes(library.domains[name], config, library, seed)]
    if not lanes:
        raise RecipeError("generate: no form suits any of the chosen domains")
    spread = itertools.chain.from_iterable(zip(*lanes, strict=False))
    cells = itertools.islice(spread, config.documents)
    return [Slot(digest("slot", seed, *_fields(cell), ordinal), cell, ordinal) for cell, ordinal in cells]


def _lanes(domain: Domain, config: GenerateConfig, library: Library, seed: int) -> list[Iterator[tuple[Cell, int]]]:
    forms = [name for name in domain.forms if not config.forms or name in config.forms]
    _chosen(config.forms, library.forms, "form")
    return [_cells(domain, form, config, library, seed) for form in forms]


def _cells(
    domain: Domain, form: str, config: GenerateConfig, library: Library, seed: int
) -> Iterator[tuple[Cell, int]]:
    """Endless: topics × audiences × styles in a seeded order, then the same again with the next ordinal."""
    audiences = _chosen(config.audiences, library.audiences, "audience")
    styles = _chosen(config.styles, library.styles, "style")
    cells = [
        Cell(domain.id, topic.title, form, audience, domain.language, style)
        for topic, audience, style in itertools.product(domain.topics, audiences, styles)
    ]
    cells.sort(key=lambda cell: digest("order", seed, *_fields(cell)))
    for ordinal in itertools.count():
        yield from ((cell, ordinal) for cell in cells)


def _chosen(wanted: tuple[str, ...], known: Mapping[str, object], what: str) -> list[str]:
    for name in wanted:
        if name not in known:
            raise RecipeError(f"generate: no {what} `{name}`", hint=f"known: {', '.join(sorted(known))}")
    return list(wanted or known)


def _fields(cell: Cell) -> tuple[str, ...]:
    return (cell.domain, cell.topic, cell.form, cell.audience, cell.language, cell.style)


def coverage(slots: list[Slot], filled: set[str]) -> Fact:
    """Filled slots by domain × form, with the planned number as target."""
    target = Counter((slot.cell.domain, slot.cell.form) for slot in slots)
    done = Counter((slot.cell.domain, slot.cell.form) for slot in slots if slot.id in filled)
    rows = sorted({domain for domain, _ in target})
    columns = sorted({form for _, form in target})
    values = [[done[row, column] if target[row, column] else None for column in columns] for row in rows]
    targets = [[target[row, column] or None for column in columns] for row in rows]
    return grid("Coverage: documents kept by domain and form", rows, columns, values, targets)
