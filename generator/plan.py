"""The plan: which slots there are. Fixed by recipe and library before the first request; more documents extend it."""

from __future__ import annotations

import itertools
import math
from collections import Counter, deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from corpus.errors import RecipeError
from corpus.ids import digest, seed_from
from generator.config import Axis, GenerateConfig
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
    variant: int = 0  # in which of its form's ways it is asked for; no part of the id


Placed = tuple[Cell, int, tuple[str, ...]]  # a cell, its ordinal, its seeds


@dataclass(frozen=True)
class Lane:
    """The cells of one language and form, in the order of their use: endless, with the next ordinal after the last."""

    language: str
    form: str
    cells: Callable[[], Iterator[Placed]]
    domains: int  # how many of the first cells show every domain
    topics: int  # … every domain and topic
    all: int  # … every cell

    def first(self, axes: Sequence[Axis]) -> Iterator[Cell]:
        """The first cells, as many as show every combination of the axes."""
        fine = self.all if {"audience", "style"} & set(axes) else self.topics if "topic" in axes else self.domains
        return (cell for cell, _, _ in itertools.islice(self.cells(), fine if set(axes) - {"language", "form"} else 1))


def plan_slots(config: GenerateConfig, library: Library, seed: int, seeds: Sequence[Seed] = ()) -> list[Slot]:
    """`config.documents` slots, spread evenly over language × domain × form, no cell used again before all were used;
    with `config.per_cell` that many in each cell of `config.coverage.cells`.

    Within a domain and form, no topic comes again before every other came as often. Forms that rewrite documents draw
    theirs from `seeds`; without seeds they are left out, and asking for one by name raises `RecipeError`.
    """
    lanes = lanes_of(config, library, seed, seeds)
    if config.budget:
        return _budgeted(config, lanes, seed)
    if config.per_cell:
        source = Source(lanes, config.coverage.cells, seed)
        return [slot for _ in range(config.per_cell) for key in source.keys if (slot := source.next(key))]
    spread = itertools.chain.from_iterable(zip(*(lane.cells() for lane in lanes), strict=False))
    return [slot_of(placed, seed) for placed in itertools.islice(spread, config.documents)]


def _budgeted(config: GenerateConfig, lanes: Sequence[Lane], seed: int) -> list[Slot]:
    """So many slots in each named cell, as far as it has any. Raises `RecipeError` for a cell that the recipe has not."""
    source = Source(lanes, config.coverage.cells, seed)
    known = {"/".join(key): key for key in source.keys}
    if unknown := sorted(set(config.budget) - set(known)):
        raise RecipeError(
            f"generate.budget: there is no cell {unknown[0]!r}", hint=f"cells: {', '.join(sorted(known)[:12])}"
        )
    rounds = max(config.budget.values(), default=0)
    asked = [name for turn in range(rounds) for name in known if config.budget.get(name, 0) > turn]
    return [slot for name in asked if (slot := source.next(known[name]))]


def lanes_of(config: GenerateConfig, library: Library, seed: int, seeds: Sequence[Seed] = ()) -> list[Lane]:
    """Every lane of a recipe. Raises `RecipeError` when there is none."""
    lanes = _mixed([_lanes(config, library.of(language), seed, seeds) for language in config.languages])
    if not lanes:
        raise RecipeError("generate: no form suits any of the chosen domains")
    return lanes


def slot_of(placed: Placed, seed: int) -> Slot:
    """The slot of a place in a lane."""
    cell, ordinal, ids = placed
    return Slot(digest("slot", seed, *_fields(cell), ordinal, *ids), cell, ordinal, ids)


def key_of(cell: Cell, axes: Sequence[Axis]) -> tuple[str, ...]:
    """What a cell is on some of the axes."""
    return tuple(getattr(cell, axis) for axis in axes)


class Source:
    """Slots of any combination of axes, one after the other, in the order of the lanes and none twice."""

    def __init__(self, lanes: Sequence[Lane], axes: Sequence[Axis], seed: int, used: Iterable[str] = ()) -> None:
        self._lanes, self._axes, self._seed, self._used = lanes, axes, seed, set(used)
        self._walks: dict[int, Iterator[Placed]] = {}
        self._ready: dict[tuple[tuple[str, ...], int], deque[Slot]] = {}
        self._turn = Counter[tuple[str, ...]]()

    @cached_property
    def keys(self) -> list[tuple[str, ...]]:
        """Every combination that the lanes can fill, spread over the lanes as the plan is."""
        return list(self._by_key)

    @cached_property
    def _by_key(self) -> dict[tuple[str, ...], list[int]]:
        own = [list(dict.fromkeys(key_of(cell, self._axes) for cell in lane.first(self._axes))) for lane in self._lanes]
        found: dict[tuple[str, ...], list[int]] = {}
        for row in itertools.zip_longest(*own):
            for place, key in enumerate(row):
                if key is not None:
                    found.setdefault(key, []).append(place)
        return found

    def next(self, key: tuple[str, ...], without: Container[tuple[str, str]] = ()) -> Slot | None:
        """A new slot of the combination, from lanes whose (language, form) is not in `without`; None when none is left."""
        lanes = [place for place in self._by_key.get(key, ()) if self._named(place) not in without]
        if not lanes:
            return None
        place = lanes[self._turn[key] % len(lanes)]
        self._turn[key] += 1
        ready = self._ready.setdefault((key, place), deque())
        while not ready:
            self._pull(place)
        return ready.popleft()

    def _named(self, place: int) -> tuple[str, str]:
        return self._lanes[place].language, self._lanes[place].form

    def _pull(self, place: int) -> None:
        if place not in self._walks:
            self._walks[place] = self._lanes[place].cells()
        slot = slot_of(next(self._walks[place]), self._seed)
        if slot.id not in self._used:
            self._ready.setdefault((key_of(slot.cell, self._axes), place), deque()).append(slot)


def _lanes(config: GenerateConfig, library: Library, seed: int, seeds: Sequence[Seed]) -> list[Lane]:
    domains = _chosen(config.domains, library.domains, "domain")
    forms = _usable(config, library)
    _chosen(tuple(config.draw), library.forms, "form")
    by_domain = [
        [_cells(library.domains[name], library.forms[form], config, library, seed)
         for form in library.domains[name].forms if form in forms]
        for name in domains
    ]  # fmt: skip
    return _mixed([*by_domain, _seeded_lanes(config, library, forms, seed, seeds)])


def _mixed(groups: Sequence[Sequence[Lane | None]]) -> list[Lane]:
    """One of each group in turn, the n-th group from its n-th on: the beginning, which is all that a small plan sees,
    holds something of everything."""
    solid = [[lane for lane in group if lane is not None] for group in groups]
    turned = [group[place % len(group) :] + group[: place % len(group)] for place, group in enumerate(solid) if group]
    return [lane for row in itertools.zip_longest(*turned) for lane in row if lane is not None]


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
    """Rounds over all topics, each with another audience and style."""
    readers = {key: library.audiences[key] for key in _readers(form, config, library)}
    styles = _chosen(config.styles, library.styles, "style")
    turns = {
        topic.title: list(itertools.product([key for key, who in readers.items() if who.suits(topic.level)], styles))
        for topic in domain.leaves
        if topic.level is None or topic.level in form.levels
    }
    topics, whole = sum(1 for pairs in turns.values() if pairs), sum(map(len, turns.values()))
    walk = partial(_rounds, domain, form.id, turns, seed)
    return Lane(library.language, form.id, walk, 1, topics, whole) if whole else None


def _rounds(domain: Domain, form: str, turns: Mapping[str, Sequence[tuple[str, str]]], seed: int) -> Iterator[Placed]:
    """Each round names every topic once, in a seeded order of its own; a topic that has had all its turns waits."""
    walks: dict[str, list[int]] = {}  # of the topics that were reached: a small plan sees few of a large library's
    for ordinal in itertools.count():
        for turn in range(max(len(pairs) for pairs in turns.values())):
            waiting = [title for title, pairs in turns.items() if turn < len(pairs)]
            waiting.sort(
                key=lambda title: digest("round", seed, domain.language, domain.id, form, ordinal, turn, title)
            )
            for title in waiting:
                if title not in walks:
                    walks[title] = _walk(len(turns[title]), seed, domain.language, domain.id, form, title)
                audience, style = turns[title][walks[title][turn]]
                yield Cell(domain.id, title, form, audience, domain.language, style), ordinal, ()


def _walk(size: int, *key: object) -> list[int]:
    """0 to size - 1, each once, from a seeded start in seeded steps."""
    if not size:
        return []
    draw = seed_from("walk", *key)
    step = next(number for number in range(1 + draw % size, 2 * size + 2) if math.gcd(number, size) == 1)
    return [(draw // size + step * turn) % size for turn in range(size)]


def _endless(cells: Sequence[tuple[Cell, tuple[str, ...]]]) -> Iterator[Placed]:
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
    return [_seeded_lane(form, config, library, seed, given) for form in forms]


def _seeded_lane(form: Form, config: GenerateConfig, library: Library, seed: int, seeds: Sequence[Seed]) -> Lane:
    cells = _seeded_cells(form, config, library, seed, seeds)
    return Lane(library.language, form.id, partial(_endless, cells), len(seeds), len(seeds), len(cells))


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
