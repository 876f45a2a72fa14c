"""The plan of a recipe: its slots, the documents that they rewrite, and the request of any turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import IncompleteError, RecipeError
from corpus.manifest import load_manifest, table_of
from corpus.shelf import UNKNOWN
from corpus.store import Store
from filters.chain import decide
from generator.attempt import Attempt, Turn
from generator.collapse import Collapse
from generator.config import GenerateConfig
from generator.coverage import FORGOTTEN, Coverage
from generator.operators.chain import play
from generator.operators.play import Play, RunTests, Setting, unasked
from generator.plan import Slot, Source, lanes_of, plan_slots
from generator.request import Request, continue_request, make_request
from prompts.library import Library, load_library
from prompts.seeds import Seed
from ray_jobs.jailed_tests import JailedTests
from ray_jobs.opened import opened_slots
from ray_jobs.prompt_checks import contaminated_slots, without_personal_data
from ray_jobs.recipe import Recipe
from ray_jobs.tombstones import forgotten_seeds


def library_of(config: GenerateConfig) -> Library:
    """The library of a recipe."""
    return load_library(Path(config.library) if config.library else None)


@dataclass(frozen=True)
class Plan:
    """All slots, and how to ask for them: a pure function of recipe, library and seeds."""

    recipe: Recipe
    library: Library
    slots: list[Slot]
    seeds: dict[str, Seed]
    run_tests: RunTests | None = None
    private: dict[str, int] = field(default_factory=dict)
    """Findings of personal data in seeds, by kind, that no prompt holds."""
    planned: list[Slot] = field(default_factory=list)
    """The slots that the recipe asks for; `slots` are those of the run so far, replacements among them."""
    dropped: frozenset[str] = frozenset()
    """Ids of slots that got no further attempt, since their cell was closed."""

    @cached_property
    def contaminated(self) -> dict[str, str]:
        """Slots that are not asked, since their prompt or seed holds a benchmark item, and which one."""
        return contaminated_slots(self.slots, self._first, self.seeds, self.recipe.filters.decontaminate)

    def cast(self, slot: Slot, attempt: int) -> Play:
        """What is asked in an attempt at a slot, step by step."""
        assert self.recipe.generate is not None
        if not self.recipe.teacher.writes(slot.cell.language):
            return unasked("language", "the teacher does not write it: teacher.languages")
        if slot.id not in self._own and any(not self.seeds[name].text for name in slot.seed_ids):
            return unasked(FORGOTTEN, "its seed was taken down")
        if by := self._contaminated(slot):
            return unasked("contaminated", by)
        return self._play(slot, attempt)

    def _contaminated(self, slot: Slot) -> str:
        """The benchmark item in a slot's prompt or seed; a replacement is looked at when its turn comes."""
        if slot.id in self._own:
            return self.contaminated.get(slot.id, "")
        seeds = {name: self.seeds[name] for name in slot.seed_ids}
        return contaminated_slots([slot], self._first, seeds, self.recipe.filters.decontaminate).get(slot.id, "")

    @cached_property
    def _own(self) -> frozenset[str]:
        return frozenset(slot.id for slot in self.slots)

    def _play(self, slot: Slot, attempt: int) -> Play:
        assert self.recipe.generate is not None
        setting = Setting(slot, attempt, self.library.of(slot.cell.language), self.run_tests)
        seed = "\n\n".join(self.seeds[name].text for name in slot.seed_ids)
        return play(setting, self.recipe.generate.operators, seed)

    def licence_of(self, slot: Slot) -> str:
        """The licence of what is written: the teacher's, and those of the seeds that it tells again; an SPDX expression."""
        seeds = {self.seeds[name].licence for name in slot.seed_ids}
        if seeds & set(UNKNOWN):
            return UNKNOWN[0]
        return " AND ".join(sorted({self.recipe.teacher.licence, *seeds}))

    def request(self, turn: Turn) -> Request:
        """The request of a turn, so that any prompt can be rendered again."""
        config = self.recipe.generate
        assert config is not None
        request = make_request(
            turn.slot, turn.attempt, self.library, self.recipe.teacher, config, self.recipe.seed, self.seeds,
            turn.ask, turn.step,
        )  # fmt: skip
        return continue_request(request, turn.so_far.text) if turn.so_far else request

    def _first(self, slot: Slot) -> list[Request]:
        """The first requests of a slot; none where its play ends without any."""
        assert self.recipe.generate is not None
        found = Attempt(slot, 0, self._play(slot, 0), self.recipe.generate).begin()
        return [self.request(turn) for turn in found] if isinstance(found, list) else []

    def coverage(self) -> Coverage:
        """The cells of this plan, and the watch over its templates, as a run begins with them."""
        config = self.recipe.generate
        assert config is not None
        lanes = lanes_of(config, self.library, self.recipe.seed, list(self.seeds.values()))
        source = Source(lanes, config.coverage.cells, self.recipe.seed, (slot.id for slot in self.planned))
        return Coverage(self.planned, source, config, Collapse(config.collapse, self._ways))

    def _ways(self, template: tuple[str, str]) -> int:
        language, form = template
        shelf = self.library.of(language)
        return len(shelf.ways(shelf.forms[form]))


def plan_for(recipe: Recipe, folder: Store) -> Plan:
    """The plan of a run. Raises `IncompleteError` while the sources of its seeds are not read and scored."""
    assert recipe.generate is not None
    library = library_of(recipe.generate)
    seeds, private = without_personal_data(seeds_of(recipe, folder), recipe.generate, recipe.teacher)
    planned = plan_slots(recipe.generate, library, recipe.seed, seeds)
    slots, dropped = opened_slots(folder.child("generate"), planned)
    by_id = {seed.id: seed for seed in seeds}
    runs = any(entry.reverse and entry.reverse.tests for entry in recipe.generate.operators)
    return Plan(recipe, library, slots, by_id, JailedTests() if runs else None, private, planned, dropped)


def seeds_of(recipe: Recipe, folder: Store) -> list[Seed]:
    """Documents of `generate.seeds` that pass the recipe's filters: nothing sensitive leaves this machine in a prompt."""
    assert recipe.generate is not None
    wanted = recipe.generate.seeds
    if not wanted:
        return []
    if unknown := set(wanted) - set(recipe.sources):
        raise RecipeError(
            f"generate.seeds: there is no source `{min(unknown)}`", hint=f"known: {', '.join(recipe.sources)}"
        )
    read, score = (load_manifest(folder.child(name)) for name in (recipe.texts, "score"))
    if read is None or score is None:
        raise IncompleteError("the seeds are known once the sources are read and scored", hint="hornbook generate")
    documents = table_of(folder.child(recipe.texts), read, "documents")
    rejected = decide(documents, table_of(folder.child("score"), score, "scores"), recipe.filters)
    return _seeds(documents, rejected["id"], wanted) + forgotten_seeds(folder)


def _seeds(documents: pa.Table, rejected: pa.ChunkedArray, wanted: Sequence[str]) -> list[Seed]:
    chosen = pc.and_(
        pc.is_in(documents["source"], value_set=pa.array(wanted)),
        pc.invert(pc.is_in(documents["id"], value_set=rejected.combine_chunks())),
    )
    rows = documents.filter(chosen).select(["id", "text", "language", "topic", "source", "licence"]).to_pylist()
    return [
        Seed(row["id"], row["text"], row["language"], row["topic"] or "", row["source"], row["licence"]) for row in rows
    ]
