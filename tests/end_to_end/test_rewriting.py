"""Documents of a source are rewritten: only those that pass the filters, each named in the lineage, never a secret."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import IncompleteError, RecipeError
from corpus.manifest import load_manifest, table_of
from ray_jobs.cli.overview import plan_of
from ray_jobs.drive import run
from ray_jobs.line import run_folder
from ray_jobs.planning import plan_for
from ray_jobs.recipe import Recipe
from ray_jobs.replay import replay
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.end_to_end.conftest import secret

FORMS = "generate.forms=[rewrite_tutorial, rewrite_faq]"


def resolved(recipe: Path, *settings: str) -> Recipe:
    return resolve(str(recipe), [FORMS, "generate.seeds=[web]", *settings], {}).recipe


@pytest.fixture
def done(recipe: Path) -> Recipe:
    found = resolved(recipe)
    run(found, talk=Talk(quiet=True))
    return found


def test_every_written_document_names_the_page_it_rewrites(done: Recipe) -> None:
    folder = run_folder(done)
    generate, read = (load_manifest(folder.child(name)) for name in ("generate", "read"))
    assert generate is not None
    assert read is not None
    pages = set(table_of(folder.child("read"), read, "documents", ["id"])["id"].to_pylist())
    rows = table_of(folder.child("generate"), generate, "documents").to_pylist()
    assert len(rows) == 24
    assert all(len(row["lineage"]["seed_ids"]) == 1 and set(row["lineage"]["seed_ids"]) <= pages for row in rows)
    assert set(generate.inputs) == {"read", "score"}


def test_a_rewritten_page_is_under_its_own_licence_and_the_teachers(done: Recipe) -> None:
    plan = plan_for(done, run_folder(done))
    given = {seed.id: seed.licence for seed in plan.seeds.values()}
    generate = load_manifest(run_folder(done).child("generate"))
    assert generate is not None
    rows = table_of(run_folder(done).child("generate"), generate, "documents").to_pylist()
    for row in rows:
        licences = {done.teacher.licence, given[row["lineage"]["seed_ids"][0]]}
        assert set(row["licence"].split(" AND ")) == licences
    assert any(licence not in ("", done.teacher.licence) for licence in given.values())


def test_a_page_of_unknown_licence_makes_text_of_unknown_licence(done: Recipe) -> None:
    plan = plan_for(done, run_folder(done))
    slot = next(slot for slot in plan.slots if slot.seed_ids)
    unknown = {name: replace(seed, licence="unknown") for name, seed in plan.seeds.items()}
    assert replace(plan, seeds=unknown).licence_of(slot) == "unknown"


def test_no_prompt_holds_a_secret_of_a_page(done: Recipe) -> None:
    plan = plan_for(done, run_folder(done))
    assert len(plan.seeds) >= 40
    assert not any(secret() in seed.text for seed in plan.seeds.values())


def test_a_rewritten_dataset_is_replayed_like_any_other(done: Recipe) -> None:
    assert [made.same for made in replay(done)] == [True, True]


def test_the_plan_says_that_its_cells_come_with_the_sources(recipe: Path) -> None:
    assert "once the sources are read" in plan_of(str(recipe), [FORMS, "generate.seeds=[web]"])["cells"]
    with pytest.raises(IncompleteError):
        plan_for(resolved(recipe), run_folder(resolved(recipe)))


def test_seeds_of_a_source_that_is_not_there_are_refused(recipe: Path) -> None:
    wrong = resolve(str(recipe), [FORMS, "generate.seeds=[crawl]"], {}).recipe
    with pytest.raises(RecipeError, match="no source `crawl`"):
        plan_for(wrong, run_folder(wrong))


def test_what_a_page_does_not_say_is_named_and_counted(recipe: Path) -> None:
    found = resolved(recipe, "filters.facts.numbers=0", "filters.facts.claims=0.2", "generate.documents=8")
    run(found, talk=Talk(quiet=True))
    folder = run_folder(found)
    filtered = load_manifest(folder.child("filter"))
    assert filtered is not None
    scores = {row["id"]: row for row in table_of(folder.child("filter"), filtered, "scores").to_pylist()}
    rejected = table_of(folder.child("filter"), filtered, "rejected").to_pylist()
    blamed = [row for row in rejected if row["reason"].startswith("unsupported.")]
    assert blamed, "the fake teacher writes of other things than the page"
    assert all(row["source"] == "synthetic" and "first: " in row["detail"] for row in blamed)
    assert all(scores[row["id"]]["facts.claims"] > 0.2 or scores[row["id"]]["facts.numbers"] > 0 for row in blamed)
    assert all(
        row["facts.numbers"] == 0 for row in scores.values() if row["id"] not in {item["id"] for item in rejected}
    )
