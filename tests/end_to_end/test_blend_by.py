"""The mix by domain, language and band, as the recipe weighs them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from corpus.manifest import load_manifest, table_of
from filters.word_bag import fit_bag
from ray_jobs.drive import run
from ray_jobs.line import run_folder
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.end_to_end.conftest import page


@pytest.fixture
def mixed(recipe: Path) -> Path:
    """30 pages of rivers and 30 of stones, every third one said to be German."""
    rows = [{"text": page(index), "licence": "MIT", "subject": "rivers" if index < 30 else "stones", "lang": "de" if index % 3 == 0 else "en"}
            for index in range(60)]  # fmt: skip
    (recipe.parent / "web.jsonl").write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return recipe


def mix(recipe: Path, *settings: str) -> list[dict]:
    fields = [
        "sources.web.domain_field=subject",
        "sources.web.language_field=lang",
        "generate.documents=4",
        "blend.tokens=4000",
    ]
    found = resolve(str(recipe), [*fields, *settings], {}).recipe
    run(found, until="blend", talk=Talk(quiet=True))
    store = run_folder(found).child("blend")
    manifest = load_manifest(store)
    assert manifest is not None
    return [row for row in table_of(store, manifest, "mix").to_pylist() if row["arm"] == "filtered + synthetic"]


def shares(recipe: Path, *settings: str) -> dict[str, float]:
    words = Counter[str]()
    for row in mix(recipe, *settings):
        words[row["source"]] += len(row["text"].split())
    return {name: count / sum(words.values()) for name, count in words.items()}


def test_domains_of_a_column_are_weighed(mixed: Path) -> None:
    found = shares(mixed, "blend.by=domain", "blend.weights={rivers: 3, stones: 1}")
    assert found["rivers"] == pytest.approx(0.75, abs=0.08)
    assert found["stones"] == pytest.approx(0.25, abs=0.08)


def test_languages_of_a_column_are_weighed(mixed: Path) -> None:
    found = shares(mixed, "blend.by=language", "blend.weights={de: 1, en: 1}", "filters.languages=[en]")
    assert found["de"] == pytest.approx(0.5, abs=0.1)


def test_bands_of_the_quality_score_are_parts_of_their_own(mixed: Path) -> None:
    found = shares(mixed, "blend.by=band", "blend.weights={synthetic: 1, 0.8-1.0: 1}")
    assert set(found) == {"synthetic", "0.8-1.0"}, "without a classifier every text has the score 1"


def test_a_preset_weighs_roles_and_an_order_puts_one_part_after_the_other(mixed: Path) -> None:
    asked = (
        "blend.by=domain",
        "blend.preset=wrap",
        "blend.roles={rivers: web, stones: rewrites}",
        "blend.order=blocked",
    )
    names = [row["source"] for row in mix(mixed, *asked, "blend.sequence=[stones, rivers]")]
    assert names == sorted(names, reverse=True)
    assert set(names) == {"stones", "rivers"}


def test_a_classifier_that_is_there_scores_and_its_best_share_stays(mixed: Path, tmp_path: Path) -> None:
    texts = [page(index) for index in range(60)]
    fit_bag(texts, np.arange(60) < 30).save(tmp_path / "rivers.bin")
    asked = (f"filters.classifier={tmp_path / 'rivers.bin'}", "filters.quality_top=0.5", "blend.by=domain")
    found = shares(mixed, *asked, "filters.languages=[en]")
    assert found.get("stones", 0) < 0.2 < found["rivers"]
