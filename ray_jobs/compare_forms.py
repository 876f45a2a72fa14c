"""Forms compared on the same slots: what each yields, how much its texts differ, and what a kept one costs."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from corpus.errors import RecipeError
from corpus.store import open_store
from generator.diversity import measure
from generator.plan import Slot
from generator.waves import Waves
from ray_jobs.desk import Desk
from ray_jobs.line import Line, run_folder
from ray_jobs.passes import InProcess
from ray_jobs.planning import Plan, plan_for
from ray_jobs.recipe import Recipe
from ray_jobs.stages.generate import ask, open_book, purse_of
from ray_jobs.stopwatch import Stopwatch
from ray_jobs.talk import Talk


def compare_forms(recipe: Recipe, forms: Sequence[str], count: int, talk: Talk | None = None) -> list[dict[str, Any]]:
    """One record a form, over the first `count` slots of the first form: same topics, readers and styles, one attempt
    each, nothing kept. Raises `RecipeError` for fewer than two forms, or one that the library does not have."""
    if recipe.generate is None or len(set(forms)) < 2:
        raise RecipeError(
            "a comparison needs a recipe that generates, and two forms", hint="--compare FORM --compare FORM"
        )
    only = {"forms": (forms[0],), "documents": count, "attempts": 1, "per_cell": None}
    recipe = recipe.model_copy(update={"generate": recipe.generate.model_copy(update=only)})
    plan, talk = plan_for(recipe, run_folder(recipe)), talk or Talk()
    slots = plan.planned
    for slot in slots:
        for form in forms:
            if form not in plan.library.of(slot.cell.language).forms:
                raise RecipeError(
                    f"no form `{form}` in `{slot.cell.language}`", hint="`hornbook plan` lists forms in use"
                )
    with tempfile.TemporaryDirectory() as scratch:
        desk = Desk(recipe.teacher, Path(scratch) / "teacher.log", talk)
        desk.open()
        try:
            return [_arm(recipe, plan, slots, form, desk, Path(scratch) / form, talk) for form in forms]
        finally:
            desk.stop()


def _arm(
    recipe: Recipe, plan: Plan, slots: Sequence[Slot], form: str, desk: Desk, place: Path, talk: Talk
) -> dict[str, Any]:
    own = [replace(slot, cell=replace(slot.cell, form=form)) for slot in slots]
    store = open_store(place)
    line = Line(recipe, store, InProcess(), talk, desk)
    watch = Stopwatch(store)
    arm = replace(plan, slots=own, planned=own)
    book = open_book(arm, own, purse=purse_of(recipe, watch))
    ask(line, Waves(book, store, arm.request, {}), book, store, watch)
    kept = [book.documents[slot.id] for slot in own if slot.id in book.documents]
    found = measure([item.text for item in kept], own[0].cell.language)
    purse, reasons = book.purse, Counter(item.reason for item in book.rejections)
    return {
        "form": form, "asked": len(own), "kept": len(kept), "yield": round(len(kept) / len(own), 3),
        "rejected": dict(reasons.most_common()), "prompt tokens": purse.prompt, "completion tokens": purse.completion,
        "tokens per kept": round(purse.spent / len(kept), 1) if kept else None,
        "cost per kept": round(purse.money / len(kept), 8) if kept and recipe.teacher.price.named else None,
        "opening share": round(found.opening_share, 3), "opening": found.opening,
        "skeleton share": round(found.skeleton_share, 3), "distinct 4-grams": round(found.distinct, 3),
        "compression": round(found.compression, 3), "words per kept": round(found.words / max(1, len(kept)), 1),
    }  # fmt: skip


def side_by_side(records: Sequence[dict[str, Any]]) -> list[str]:
    """A line a figure, a column a form."""
    lines = []
    for name in records[0]:
        values = [record[name] for record in records]
        if any(value is not None and value != {} for value in values):
            lines.append(f"{name:<18}" + "".join(f"  {_plain(value):<34}" for value in values).rstrip())
    return lines


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {count}" for key, count in value.items()) or "-"
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
