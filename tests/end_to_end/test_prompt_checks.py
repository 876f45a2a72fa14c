"""Before a token is spent: a slot whose seed or prompt holds a benchmark item is not asked, and no prompt holds personal data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import RecipeError
from corpus.manifest import load_manifest, table_of
from generator.config import CoverageConfig
from ray_jobs.drive import run
from ray_jobs.line import run_folder
from ray_jobs.planning import plan_for
from ray_jobs.recipe import Recipe
from ray_jobs.replay import replay
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.end_to_end.conftest import page
from tests.fakes.fake_teacher import FakeTeacher

LEAKED = (3, 11)
PERSON = "Write to ada.lovelace@maths-department.org or call 13812345678."


@pytest.fixture
def seeded(recipe: Path, tmp_path: Path) -> Recipe:
    """Pages as seeds: two of them stand in a benchmark, one has an address in it."""
    items = [json.dumps({"id": number, "question": page(number)}) for number in (*LEAKED, 500)]
    (tmp_path / "exam.jsonl").write_text("\n".join(items) + "\n", "utf-8")
    rows = [json.dumps({"text": f"{page(n)} {PERSON if n == 5 else ''}", "licence": "MIT"}) for n in range(20)]
    (tmp_path / "web.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
    return resolved(recipe, f"filters.decontaminate.against=[{tmp_path}/exam.jsonl]")


def resolved(recipe: Path, *settings: str) -> Recipe:
    forms = ("generate.forms=[rewrite_tutorial, rewrite_faq]", "generate.seeds=[web]", "generate.documents=40")
    forms += ("generate.coverage.replacements=0",)
    return resolve(str(recipe), [*forms, *settings], {}).recipe


def test_a_contaminated_seed_is_a_named_shortfall_and_costs_no_token(seeded: Recipe, fake: FakeTeacher) -> None:
    run(seeded, talk=Talk(quiet=True))
    folder = run_folder(seeded)
    manifest = load_manifest(folder.child("generate"))
    assert manifest is not None
    plan = plan_for(seeded, folder)
    held = {seed.id for seed in plan.seeds.values() if any(page(number)[:60] in seed.text for number in LEAKED)}
    asked_for = {slot.id for slot in plan.slots if set(slot.seed_ids) & held}
    assert len(held) == 2
    assert set(plan.contaminated) == asked_for
    assert manifest.facts["yield.short"]["values"]["contaminated"] == len(asked_for) > 0
    assert manifest.reasons["contaminated"] == len(asked_for), "one attempt is counted, not as many as are allowed"
    assert manifest.facts["slots.contaminated"]["values"] == {"exam": len(asked_for)}
    rows = table_of(folder.child("generate"), manifest, "rejected").to_pylist()
    assert all("exam#" in row["detail"] for row in rows if row["reason"] == "contaminated")
    prompts = [
        message["content"] for slot in plan.slots for request in plan._first(slot) for message in request.messages
    ]
    assert any(page(LEAKED[0])[:60] in prompt for prompt in prompts), "the prompts would have held it"
    assert (
        not {row["lineage"]["slot_id"] for row in table_of(folder.child("generate"), manifest, "documents").to_pylist()}
        & asked_for
    )
    assert [made.same for made in replay(seeded)] == [True, True]
    filtered = load_manifest(folder.child("filter"))
    assert filtered is not None
    assert filtered.reasons["contaminated.ngram"] >= 2, "the pages themselves go too"
    shown = [row for row in filtered.facts["samples.rejected"]["rows"] if row["reason"].startswith("contaminated")]
    assert {row["text"] for row in shown} == {"(withheld)"}


def test_replacements_of_contaminated_slots_are_checked_too(seeded: Recipe) -> None:
    config = seeded.generate.model_copy(update={"coverage": CoverageConfig(replacements=2.0)})  # type: ignore[union-attr]
    recipe = seeded.model_copy(update={"generate": config})
    run(recipe, until="generate", talk=Talk(quiet=True))
    folder = run_folder(recipe)
    manifest = load_manifest(folder.child("generate"))
    assert manifest is not None
    assert manifest.totals["documents"] == manifest.totals["slots"]
    held = {seed.id for seed in plan_for(recipe, folder).seeds.values() if page(LEAKED[0])[:60] in seed.text}
    rows = table_of(folder.child("generate"), manifest, "documents").to_pylist()
    assert held
    assert not any(set(row["lineage"]["seed_ids"]) & held for row in rows)
    assert [made.same for made in replay(recipe)] == [True]


@pytest.mark.parametrize("policy, seeds", [("mask", 20), ("leave_out", 19)])
def test_no_prompt_holds_personal_data(seeded: Recipe, policy: str, seeds: int) -> None:
    recipe = seeded.model_copy(update={"generate": seeded.generate.model_copy(update={"private_seeds": policy})})  # type: ignore[union-attr]
    run(recipe, until="generate", talk=Talk(quiet=True))
    plan = plan_for(recipe, run_folder(recipe))
    assert len(plan.seeds) == seeds
    prompts = [
        message["content"] for slot in plan.slots for request in plan._first(slot) for message in request.messages
    ]
    assert not any("ada.lovelace" in prompt or "13812345678" in prompt for prompt in prompts)
    assert any("<email>" in seed.text for seed in plan.seeds.values()) == (policy == "mask")
    manifest = load_manifest(run_folder(recipe).child("generate"))
    assert manifest is not None
    assert manifest.facts["seeds.private"]["values"] == {"email": 1, "phone": 1}


def test_personal_data_is_never_sent_to_another_machine(seeded: Recipe) -> None:
    run(seeded, until="score", talk=Talk(quiet=True))
    config = seeded.generate.model_copy(update={"private_seeds": "send"})  # type: ignore[union-attr]
    away = seeded.teacher.model_copy(update={"endpoints": ("https://teacher.example/v1",)})
    assert any(
        PERSON in seed.text
        for seed in plan_for(seeded.model_copy(update={"generate": config}), run_folder(seeded)).seeds.values()
    )
    with pytest.raises(RecipeError, match="private_seeds"):
        plan_for(seeded.model_copy(update={"generate": config, "teacher": away}), run_folder(seeded))
