"""A whole run whose teacher repeats itself: budget moves, prompts change, and all of it can be shown and made again."""

from __future__ import annotations

from pathlib import Path

from corpus.manifest import Manifest
from ray_jobs.cli.overview import _cell_lines, plan_of, status_of
from ray_jobs.drive import run
from ray_jobs.explain import explain
from ray_jobs.line import run_folder
from ray_jobs.planning import plan_for
from ray_jobs.recipe import Recipe
from ray_jobs.replay import replay
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.teacher_server import Fault

SETTINGS = ("generate.domains=[biology, history, physics]", "generate.forms=[textbook_section]", "generate.documents=60",
            "generate.coverage.wave=12", "generate.coverage.least=8")  # fmt: skip


def generated(recipe: Path, *settings: str) -> tuple[Recipe, Manifest]:
    found = resolve(str(recipe), [*SETTINGS, *settings], {}).recipe
    return found, run(found, until="generate", talk=Talk(quiet=True)).manifests["generate"]


def test_the_budget_of_a_cell_that_repeats_itself_goes_to_the_others(recipe: Path, fake: FakeTeacher) -> None:
    fake.set_faults(Fault("same_text", match="Subject: Physics", times=-1))
    found, manifest = generated(recipe)
    assert manifest.totals["documents"] == manifest.totals["slots"] == 60
    assert manifest.facts["coverage.short"]["rows"][0][0] == "en · physics · textbook_section"
    assert manifest.facts["coverage.short"]["rows"][0][-1] == "saturated"
    templates = manifest.facts["diversity.templates"]
    assert templates["rows"][0][:2] == ["en · textbook_section", 60]
    status = status_of(str(recipe), list(SETTINGS))
    lines = "\n".join(_cell_lines(status["coverage"]))
    assert "2 of 3 filled" in lines
    assert "saturated" in lines
    fake.kill()
    assert [made.same for made in replay(found)] == [True]


def test_a_cell_that_always_fails_is_named_in_the_manifest_and_by_status(recipe: Path, fake: FakeTeacher) -> None:
    fake.set_faults(Fault("empty_content", match="Subject: History", times=-1))
    _, manifest = generated(recipe, "generate.per_cell=6")
    assert manifest.totals["documents"] == 12
    assert manifest.totals["slots"] == 18
    assert manifest.facts["yield.short"]["values"] == {"empty": 6}
    assert manifest.facts["coverage.reached"]["value"] == 2
    assert plan_of(str(recipe), [*SETTINGS, "generate.per_cell=6"])["cells"] == {
        f"en · {domain} · textbook_section": 6 for domain in ("biology", "history", "physics")
    }


def test_prompts_change_once_openings_repeat_and_every_one_can_be_shown_again(recipe: Path, fake: FakeTeacher) -> None:
    fake.set_faults(Fault("same_opening", times=36))
    found, manifest = generated(recipe)
    (alarm,) = manifest.facts["diversity.alarms"]["rows"]
    assert alarm[0] == "en · textbook_section"
    assert alarm[3] == "in this lesson we will learn"
    assert alarm[-1] == "rotated"
    plan = plan_for(found, run_folder(found))
    changed = [slot for slot in plan.slots if slot.variant]
    assert changed
    assert {slot.variant for slot in changed} == {1}
    from corpus.manifest import table_of

    rows = table_of(run_folder(found).child("generate"), manifest, "documents").to_pylist()
    row = next(row for row in rows if row["lineage"]["slot_id"] == changed[0].id)
    told = explain(found, row["id"])
    assert told["prompt_is_the_one_sent"]
    assert next(iter(plan.library.rotations.values())) in told["prompt"][-1]["content"]
    assert [made.same for made in replay(found)] == [True]
