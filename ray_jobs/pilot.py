"""A pilot: some slots of the plan, asked as the run would ask them, at full concurrency, and kept for the run."""

from __future__ import annotations

import time
from collections.abc import Sequence

from corpus.errors import RecipeError
from corpus.ids import digest
from generator.reply import Outcome, Reply
from generator.strata import pilot_slots
from generator.throughput import Span, pace_of
from generator.waves import Waves
from ray_jobs.desk import Desk
from ray_jobs.drive import Drive, held, log_of, stoppable
from ray_jobs.forecast import Forecast, Piloted, forecast_of
from ray_jobs.line import Line, run_folder
from ray_jobs.passes import passes_for
from ray_jobs.planning import plan_for
from ray_jobs.recipe import Recipe
from ray_jobs.stage import complete
from ray_jobs.stages.generate import ask, elsewhere_for, open_book, purse_of, stored_outcomes
from ray_jobs.stopwatch import Stopwatch
from ray_jobs.stored import stored_of
from ray_jobs.talk import Talk
from ray_jobs.tombstones import forgotten_slots
from ray_jobs.verifying import verifying


def run_pilot(recipe: Recipe, count: int, talk: Talk | None = None) -> Forecast:
    """Ask `count` slots and forecast the rest. Raises what a run raises, and `RecipeError` when nothing is to be asked."""
    drive = Drive(recipe, run_folder(recipe))
    if recipe.generate is None:
        raise RecipeError("this recipe has no `generate` section, so there is nothing to forecast")
    drive.look()
    if "generate" in drive.manifests:
        raise RecipeError(
            f"{recipe.label} has asked everything already", hint="`hornbook status` shows forecast and actual"
        )
    talk = talk or Talk(drive.folder)
    with held(drive.folder) as stopping:
        desk = Desk(recipe.teacher, log_of(drive.folder, recipe), talk)
        try:
            desk.open()
            line = Line(recipe, drive.folder, passes_for(recipe.run), talk, desk, stopping)
            with stoppable(line):
                _prepare(drive, line)
                return _pilot(line, count)
        finally:
            desk.stop()


def _prepare(drive: Drive, line: Line) -> None:
    """Seeds come from what was read and scored."""
    assert line.recipe.generate is not None
    for stage in drive.stages(line) if line.recipe.generate.seeds else ():
        if stage.name == "generate":
            return
        if stage.name not in drive.manifests:
            drive.manifests[stage.name] = complete(stage, drive.folder, line.recipe.label)


def _pilot(line: Line, count: int) -> Forecast:
    recipe, plan = line.recipe, plan_for(line.recipe, line.folder)
    store = line.folder.child("generate")
    forgotten = forgotten_slots(line.folder, plan.slots)
    slots = pilot_slots([slot for slot in plan.slots if slot.id not in forgotten], count, recipe.seed)
    watch, spans = Stopwatch(store), _Spans()
    place = line.folder.child(f"pilot/{digest('pilot', [slot.id for slot in slots])[:12]}")
    with verifying(plan, store, line.talk) as verification:  # its verdicts are kept for the run, as its replies are
        book = open_book(plan, slots, purse=purse_of(recipe, watch), verification=verification)
        waves = Waves(book, place, plan.request, stored_outcomes(store), elsewhere=elsewhere_for(recipe, line.talk.say))
        ask(line, waves, book, store, watch, seen=spans.seen, batch=1)
        now = stored_of(plan, line.folder, verification=verification).book
    piloted = Piloted(slots, book, pace_of(spans.found, recipe.teacher.concurrency), watch.seconds)
    forecast = forecast_of(plan, piloted, now)
    forecast.keep(line.folder)
    return forecast


class _Spans:
    """When each reply began and ended: it is told of as it ends, and knows how long it took."""

    def __init__(self) -> None:
        self.found: list[Span] = []

    def seen(self, outcomes: Sequence[Outcome]) -> None:
        """Take note of outcomes that came now."""
        now = time.monotonic()
        self.found += [
            Span(now - item.seconds, now, item.completion_tokens) for item in outcomes if isinstance(item, Reply)
        ]
