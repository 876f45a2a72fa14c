"""Cleaning in a run: its own stage, its changes beside the documents, its texts in all that follows, and the balance held."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.manifest import load_manifest, table_of
from corpus.soft_labels import text_hash
from ray_jobs.drive import run
from ray_jobs.explain import explain
from ray_jobs.forget import forget
from ray_jobs.line import run_folder
from ray_jobs.recipe import Recipe
from ray_jobs.replay import replay
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.end_to_end.conftest import page

FRAME = "Skip to main content\n\nWe use cookies to improve our site.\n\n"


@pytest.fixture
def dirty(recipe: Path) -> Path:
    """Pages with a frame, one with nothing else, one with an address."""
    rows = [{"text": f"{FRAME}{page(index)}\r\n", "licence": "MIT"} for index in range(30)]
    rows += [
        {"text": FRAME, "licence": "MIT"},
        {"text": f"{page(70)} Write to mary@shelley.net now.", "licence": "MIT"},
    ]
    (recipe.parent / "web.jsonl").write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return recipe


def done(recipe: Path, *settings: str) -> Recipe:
    found = resolve(str(recipe), ["generate.documents=4", *settings], {}).recipe
    run(found, talk=Talk(quiet=True))
    return found


def table(recipe: Recipe, stage: str, kind: str = "documents") -> list[dict]:
    store = run_folder(recipe).child(stage)
    manifest = load_manifest(store)
    assert manifest is not None
    return table_of(store, manifest, kind).to_pylist()


def test_what_is_filtered_is_clean_and_every_change_is_told(dirty: Path) -> None:
    found = done(dirty, "clean.repeats=true", "filters.policy.email=mask")
    manifest = load_manifest(run_folder(found).child("clean"))
    assert manifest is not None
    assert (manifest.balance.taken, manifest.balance.kept, manifest.reasons) == (32, 31, {"empty": 1})
    read = {row["id"]: row["text"] for row in table(found, "read")}
    changes = {row["id"]: row for row in table(found, "clean", "changes")}
    assert len(changes) == 32
    assert all(row["before_hash"] == text_hash(read[name]) for name, row in changes.items())
    kept = [row for row in table(found, "filter") if row["source"] == "web"]
    assert len(kept) == 31
    assert not any("cookies" in row["text"] or "mary@" in row["text"] or "\r" in row["text"] for row in kept)
    assert sum("<email>" in row["text"] for row in kept) == 1
    told = explain(found, kept[0]["id"])
    assert {"read", "clean", "filter"} <= set(told["verdicts"])
    assert [made.same for made in replay(found)] == [True, True]


def test_without_cleaning_there_is_no_such_stage(dirty: Path) -> None:
    found = done(dirty)
    assert load_manifest(run_folder(found).child("clean")) is None
    assert any("cookies" in row["text"] for row in table(found, "filter"))


def test_a_policy_to_mask_alone_changes_nothing_else(dirty: Path) -> None:
    found = done(dirty, "filters.policy.email=mask")
    steps = [step for row in table(found, "clean", "changes") for step in row["steps"]]
    assert steps == ["mask.email"]


def test_a_takedown_reaches_the_cleaned_text(dirty: Path) -> None:
    found = done(dirty, "clean.repeats=true")
    gone = next(row["id"] for row in table(found, "clean"))
    forget(found, [gone], None)
    assert gone not in {row["id"] for row in table(found, "clean")}
    assert gone not in {row["id"] for row in table(found, "clean", "changes")}
    assert run(found, talk=Talk(quiet=True)).look() is None
