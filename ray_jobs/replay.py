"""Rebuilds a run's dataset from its stored replies, with no teacher, and compares hashes."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from corpus.document import documents_table
from corpus.errors import StateError
from corpus.manifest import Manifest, dataset_hash, load_manifest, table_of
from corpus.store import Store, open_store
from generator.book import Book
from generator.verify_code import Verdict
from ray_jobs.desk import Desk
from ray_jobs.line import Line, run_folder
from ray_jobs.passes import InProcess
from ray_jobs.planning import Plan, plan_for
from ray_jobs.recipe import Recipe
from ray_jobs.stages import filter as filter_stage
from ray_jobs.stages.generate import open_book, outcomes_in
from ray_jobs.talk import Talk
from ray_jobs.tombstones import forgotten_slots
from ray_jobs.verifying import published, stored


@dataclass(frozen=True)
class Replayed:
    """A stage made again: its committed hash, the hash now, and how many documents it holds."""

    stage: str
    committed: str
    now: str
    documents: int

    @property
    def same(self) -> bool:
        """Whether every document is the committed one."""
        return self.committed == self.now


def replay(recipe: Recipe) -> Iterator[Replayed]:
    """Each stage that makes documents. Raises `StateError` when a reply is missing or answers nothing of this plan."""
    folder = run_folder(recipe)
    manifests = {
        name: found for name in (recipe.texts, "score", "generate") if (found := load_manifest(folder.child(name)))
    }
    if "generate" in manifests:
        store = folder.child("generate")
        committed = table_of(store, manifests["generate"], "documents")
        plan = plan_for(recipe, folder)
        gone = forgotten_slots(folder, plan.slots)
        verdicts = published(store, manifests["generate"])
        now = written(plan, table_of(store, manifests["generate"], "replies"), gone, verdicts)
        yield Replayed("generate", dataset_hash([committed]), dataset_hash([now]), now.num_rows)
    if filtered := load_manifest(folder.child("filter")):
        made = _filtered(recipe, folder, manifests)
        yield Replayed("filter", filtered.dataset_hash, made[0], made[1])


def written(
    plan: Plan, replies: pa.Table, forgotten: Collection[str] = (), verdicts: Mapping[str, Verdict] | None = None
) -> pa.Table:
    """The documents of a plan, made of its outcomes in the order of their judgement."""
    book = replayed_book(plan, replies, forgotten, verdicts)
    return documents_table([book.documents[slot.id] for slot in plan.slots if slot.id in book.documents])


def replayed_book(
    plan: Plan, replies: pa.Table, forgotten: Collection[str] = (), verdicts: Mapping[str, Verdict] | None = None
) -> Book:
    """The book of a plan after its outcomes, in the order of their judgement. `forgotten` slots (ids) are not asked.

    `verdicts` are those that were found on exercises then; no code is run.
    """
    check = stored(plan, verdicts or {})
    book = open_book(plan, as_they_come=True, forgotten=forgotten, verification=check)

    def ask_open() -> None:
        for turn in book.open():
            book.ask(turn, plan.request(turn))

    ask_open()
    for outcome in outcomes_in(replies):
        if not book.awaits(outcome.request_key):
            ask_open()
        if not book.awaits(outcome.request_key):
            raise StateError(
                f"the stored reply {outcome.request_key} answers no request of this plan",
                hint="the recipe, a template or the library changed since; `hornbook validate` shows what is read",
            )
        book.take_in([outcome])
    _check_complete(book, plan.dropped)
    return book


def _check_complete(book: Book, dropped: Collection[str]) -> None:
    """`dropped` slots (ids) got no further attempt, although they were allowed one."""
    if left := [turn for turn in book.open() if turn.slot.id not in dropped]:
        raise StateError(f"{len(left):,} requests of this plan have no stored reply, such as {left[0].label}")


def _filtered(recipe: Recipe, folder: Store, manifests: dict[str, Manifest]) -> tuple[str, int]:
    talk = Talk(quiet=True)
    with tempfile.TemporaryDirectory() as temporary:
        desk = Desk(recipe.teacher, Path(temporary) / "teacher.log", talk)
        line = Line(recipe, folder, InProcess(), talk, desk)
        made = filter_stage.stage(line, manifests).work(open_store(temporary))
        desk.stop()
    return made.dataset_hash, made.totals["documents"]
