"""The plan: which slots there are. Fixed by recipe and library before the first request; more documents extend it."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from corpus.errors import RecipeError
from corpus.facts import Fact, grid
from corpus.ids import digest, seed_from
from generator.config import GenerateConfig
from prompts.domain import Domain
from prompts.form import Form
from prompts.library import Library
from prompts.seeds import Seed


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
    seed_ids: tuple[str, ...] = ()


Lane = Iterator[tuple[Cell, int, tuple[str, ...]]]  # cells of one domain and form, in the order of their use


def plan_slots(config: GenerateConfig, library: Library, seed: int, seeds: Sequence[Seed] = ()) -> list[Slot]:
    """`config.documents` slots, spread evenly over language × domain × form, no cell used again before all were used.

    Within a domain and form, no topic comes again before every other came as often. Forms that rewrite documents draw
    theirs from `seeds`; without seeds they are left out, and asking for one by name raises `RecipeError`.
    """
    lanes = [lane for language in config.languages for lane in _lanes(config, library.of(language), seed, seeds)]
    if not lanes:
        raise RecipeError("generate: no form suits any of the chosen domains")
    spread = itertools.chain.from_iterable(zip(*lanes, strict=False))
    return [
        Slot(digest("slot", seed, *_fields(cell), ordinal, *ids), cell, ordinal, ids)
        for cell, ordinal, ids in itertools.islice(spread, config.documents)
    ]


def _lanes(config: GenerateConfig, library: Library, seed: int, seeds: Sequence[Seed]) -> list[Lane]:
    domains = _chosen(config.domains, library.domains, "domain")
    forms = _usable(config, library)
    _chosen(tuple(config.draw), library.forms, "form")
    pairs = [(name, form) for name in domains for form in library.domains[name].forms if form in forms]
    lanes = [_cells(library.domains[name], library.forms[form], config, library, seed) for name, form in pairs]
    return [lane for lane in lanes if lane is not None] + _seeded_lanes(config, library, forms, seed, seeds)


def _usable(config: GenerateConfig, library: Library) -> list[str]:
    """The forms that the recipe means, without those whose operator it does not name."""
    for entry in config.operators:
        _chosen(entry.forms, library.forms, "form")
        if entry.revise:
            library.rubric(entry.revise.rubric)
    lacking = {form.id: form.needs for form in library.forms.values()
               if form.needs and not any(entry.serves(form.id, form.needs) for entry in config.operators)}  # fmt: skip
    _chosen(config.forms, library.forms, "form")
    if asked := [name for name in config.forms if name in lacking]:
        needs = lacking[asked[0]]
        raise RecipeError(f"generate: the form `{asked[0]}` needs the operator `{needs}`",
                          hint=f"operators: [{{{needs}: {{}}}}]")  # fmt: skip
    # A reply in JSON is not for every endpoint: a form with a schema is written where the recipe names it.
    return list(config.forms) or [
        form.id for form in library.forms.values() if form.id not in lacking and not form.structure
    ]


def _cells(domain: Domain, form: Form, config: GenerateConfig, library: Library, seed: int) -> Lane | None:
    """Rounds over all topics, each with another audience and style; endless, with the next ordinal after the last."""
    readers = {key: library.audiences[key] for key in _readers(form, config, library)}
    styles = _chosen(config.styles, library.styles, "style")
    turns = {
        topic.title: list(itertools.product([key for key, who in readers.items() if who.suits(topic.level)], styles))
        for topic in domain.leaves
        if topic.level is None or topic.level in form.levels
    }
    return _rounds(domain, form.id, turns, seed) if any(turns.values()) else None


def _rounds(domain: Domain, form: str, turns: Mapping[str, Sequence[tuple[str, str]]], seed: int) -> Lane:
    """Each round names every topic once, in a seeded order of its own; a topic that has had all its turns waits."""
    walks = {title: _walk(len(pairs), seed, domain.language, domain.id, form, title) for title, pairs in turns.items()}
    for ordinal in itertools.count():
        for turn in range(max(len(pairs) for pairs in turns.values())):
            waiting = [title for title, pairs in turns.items() if turn < len(pairs)]
            waiting.sort(
                key=lambda title: digest("round", seed, domain.language, domain.id, form, ordinal, turn, title)
            )
            for title in waiting:
                audience, style = turns[title][walks[title][turn]]
                yield Cell(domain.id, title, form, audience, domain.language, style), ordinal, ()


def _walk(size: int, *key: object) -> list[int]:
    """0 to size - 1, each once, from a seeded start in seeded steps."""
    if not size:
        return []
    draw = seed_from("walk", *key)
    step = next(number for number in range(1 + draw % size, 2 * size + 2) if math.gcd(number, size) == 1)
    return [(draw // size + step * turn) % size for turn in range(size)]


def _endless(cells: Sequence[tuple[Cell, tuple[str, ...]]]) -> Lane:
    for ordinal in itertools.count():
        yield from ((cell, ordinal, ids) for cell, ids in cells)


def _seeded_lanes(
    config: GenerateConfig, library: Library, usable: Sequence[str], seed: int, seeds: Sequence[Seed]
) -> list[Lane]:
    """A lane for each form that rewrites a document, over the seeds of the language."""
    forms = [form for form in library.forms.values() if form.seed and form.id in usable]
    given = [item for item in seeds if item.language == library.language]
    if not given:
        if asked := [form.id for form in forms if form.id in config.forms]:
            raise RecipeError(f"generate: the form `{asked[0]}` rewrites documents, and there is none",
                              hint=f"no seed document is in the language `{library.language}`")  # fmt: skip
        return []
    return [_endless(_seeded_cells(form, config, library, seed, given)) for form in forms]


def _seeded_cells(
    form: Form, config: GenerateConfig, library: Library, seed: int, seeds: Sequence[Seed]
) -> list[tuple[Cell, tuple[str, ...]]]:
    audiences = _readers(form, config, library)
    styles = _chosen(config.styles, library.styles, "style")
    order = sorted(seeds, key=lambda item: digest("seed", seed, form.id, item.id))
    turns = sorted(itertools.product(audiences, styles), key=lambda pair: digest("turn", seed, form.id, *pair))
    # The n-th seed starts at the n-th turn, so that one round has every reader and manner in it.
    return [
        (Cell(item.domain, item.title or item.id, form.id, *_reader(turns, place + turn, library.language)), (item.id,))
        for turn in range(len(turns))
        for place, item in enumerate(order)
    ]


def _reader(turns: Sequence[tuple[str, str]], place: int, language: str) -> tuple[str, str, str]:
    audience, style = turns[place % len(turns)]
    return audience, language, style


def _chosen(wanted: tuple[str, ...], known: Mapping[str, object], what: str) -> list[str]:
    for name in wanted:
        if name not in known:
            raise RecipeError(f"generate: no {what} `{name}`", hint=f"known: {', '.join(sorted(known))}")
    return list(wanted or known)


def _readers(form: Form, config: GenerateConfig, library: Library) -> list[str]:
    wanted = _chosen(config.audiences, library.audiences, "audience")
    return [name for name in wanted if not form.audiences or name in form.audiences]


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
