"""Where a row came from can be shown, and the dataset made again, without a teacher."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.errors import RecipeError
from corpus.manifest import Manifest, load_manifest, table_of
from corpus.store import open_store
from ray_jobs.compare import compare
from ray_jobs.drive import run
from ray_jobs.explain import explain, lines
from ray_jobs.line import run_folder
from ray_jobs.planning import plan_for
from ray_jobs.recipe import Recipe
from ray_jobs.replay import replay, written
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.teacher_server import Fault


def resolved(recipe: Path, *settings: str) -> Recipe:
    return resolve(str(recipe), settings, {}).recipe


def done(recipe: Path, *settings: str) -> Recipe:
    found = resolved(recipe, *settings)
    run(found, talk=Talk(quiet=True))
    return found


def stage(recipe: Recipe, name: str, kind: str) -> pa.Table:
    store = open_store(f"{recipe.store}/{recipe.label}/{name}")
    manifest = load_manifest(store)
    assert isinstance(manifest, Manifest)
    return table_of(store, manifest, kind)


def test_the_dataset_is_made_again_from_its_replies_without_a_teacher(recipe: Path, fake: FakeTeacher) -> None:
    fake.set_faults(Fault("empty_content", times=3), Fault("overlong", skip=5, times=2))
    found = done(recipe, "generate.attempts=3")
    fake.kill()
    made = list(replay(found))
    assert [(item.stage, item.same) for item in made] == [("generate", True), ("filter", True)]
    assert all(item.documents > 0 for item in made)
    outcomes = stage(found, "generate", "replies").to_pylist()
    assert {row["reason"] for row in outcomes if row["kind"] == "failure"} == {"overlong"}


def test_a_changed_reply_shows_in_the_hash(recipe: Path) -> None:
    found = done(recipe)
    replies = stage(found, "generate", "replies")
    column = replies.schema.get_field_index("text")
    texts = [text + " And one more sentence that nobody wrote." for text in replies["text"].to_pylist()]
    forged = replies.set_column(column, replies.schema.field(column), pa.array(texts, pa.string()))
    before, plan = stage(found, "generate", "documents"), plan_for(found, run_folder(found))
    assert written(plan, replies).select(["id", "text"]).equals(before.select(["id", "text"]))
    assert not written(plan, forged).select(["id", "text"]).equals(before.select(["id", "text"]))


def test_a_written_document_shows_the_very_prompt_that_was_sent(recipe: Path) -> None:
    found = done(recipe)
    document = stage(found, "filter", "documents").filter(pa.compute.field("source") == "synthetic").to_pylist()[0]
    told = explain(found, document["id"][:12])
    assert told["prompt_is_the_one_sent"]
    assert told["verdicts"] == {"generate": "kept", "filter": "kept"}
    assert told["replies"][0]["text"].strip() == document["text"]
    assert told["scores"]["gopher.words"] > 0 if "gopher.words" in told["scores"] else told["scores"]
    shown = "\n".join(lines(told))
    assert told["prompt"][-1]["content"] in shown
    assert document["text"] in shown


def test_a_rejected_attempt_is_explained_by_its_id(recipe: Path, fake: FakeTeacher) -> None:
    fake.set_faults(Fault("empty_content", times=1))
    found = done(recipe)
    (rejected,) = stage(found, "generate", "rejected").to_pylist()
    told = explain(found, rejected["id"])
    assert told["verdicts"]["generate"].startswith("rejected: empty")
    assert told["prompt"][-1]["role"] == "user"
    assert told["replies"][0]["text"] == ""


def test_a_sensitive_text_is_withheld(recipe: Path) -> None:
    found = done(recipe)
    row = next(row for row in stage(found, "filter", "rejected").to_pylist() if row["reason"] == "sensitive")
    assert explain(found, row["id"])["text"] == "(withheld)"


def test_an_id_that_fits_none_or_several_is_refused(recipe: Path) -> None:
    found = done(recipe)
    with pytest.raises(RecipeError, match="no document 'zz'"):
        explain(found, "zz")
    with pytest.raises(RecipeError, match=r"\d+ documents begin with ''"):
        explain(found, "")


def test_two_runs_differ_by_what_was_told_and_what_was_kept(recipe: Path) -> None:
    before, after = done(recipe), done(recipe, "version=2", "generate.documents=20")
    found = compare(before, after)
    assert found["config"]["generate"] == ["generate.documents: 24 → 20"]
    gone, come = found["documents"]["only before"], found["documents"]["only after"]
    assert (gone, come) == ({"synthetic": 4}, {})
    assert not found["same"]
    assert compare(before, before)["same"]


def test_raw_parquet_holds_an_outcome_for_every_attempt(recipe: Path) -> None:
    found = done(recipe)
    folder = Path(found.store) / found.label / "generate"
    rows = [row for path in (folder / "replies").glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    manifest = load_manifest(open_store(folder))
    assert manifest is not None
    assert len(rows) == manifest.totals["attempts"]
