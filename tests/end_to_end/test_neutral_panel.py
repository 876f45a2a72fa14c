"""A neutral source is read by no arm, and every student is measured on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import RecipeError
from corpus.manifest import table_of
from ray_jobs.drive import run
from ray_jobs.line import run_folder
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.end_to_end.conftest import page


def test_no_arm_reads_the_neutral_source_and_all_are_measured_on_it(recipe: Path) -> None:
    manual = recipe.parent / "manual.jsonl"
    manual.write_text("\n".join(json.dumps({"text": page(500 + i), "licence": "MIT"}) for i in range(6)), "utf-8")
    settings = [
        f"sources.manual={{kind: files, paths: ['{manual}']}}", "blend.neutral=[manual]", "generate.documents=6",
        "student={tokens: 2048, vocab_size: 512, model: {context: 64, layers: 1, d_model: 32, heads: 1, ff: 64}, batch_tokens: 512}",
    ]  # fmt: skip
    found = resolve(str(recipe), settings, {}).recipe
    done = run(found, talk=Talk(quiet=True))
    blend = run_folder(found).child("blend")
    mix, held = (table_of(blend, done.manifests["blend"], kind).to_pylist() for kind in ("mix", "held_out"))
    neutral = {row["text"] for row in held if row["panel"] == "neutral"}
    assert len(neutral) == 6
    assert not neutral & {row["text"] for row in mix}
    assert not neutral & {row["text"] for row in held if row["panel"] != "neutral"}
    facts = done.manifests["evaluate"].facts
    assert facts["arms"]["columns"][5] == "neutral"
    assert facts["arms.names"]["columns"] == ["arm", "curated-like", "raw-like", "neutral"]
    assert len(facts["arms.names"]["rows"]) == 3


def test_a_neutral_source_that_is_none_is_named(recipe: Path) -> None:
    with pytest.raises(RecipeError, match=r"blend\.neutral names 'wiki'"):
        resolve(str(recipe), ["blend.neutral=[wiki]"], {})
