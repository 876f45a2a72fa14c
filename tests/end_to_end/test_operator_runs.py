"""Operators in a whole run: killed or not it makes the same documents, replays without a teacher, and tells every step."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.manifest import load_manifest
from corpus.store import open_store
from ray_jobs.crew import AHEAD, DURABLE_S
from ray_jobs.drive import run
from ray_jobs.explain import explain, lines
from ray_jobs.preview import preview_rows
from ray_jobs.recipe import Recipe
from ray_jobs.replay import replay
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.slots import filled

OPERATORS = (
    "[{plurality: {answers: 5}}, {rewrite: {}}, {dialogue: {turns: 4}},"
    " {revise: {rounds: 2, keep: better}, forms: [textbook_section, multiple_choice]}]"
)
FORMS = "[textbook_section, short_answer_question, multiple_choice, augmented_passage, passage_dialogue, glossary]"
SETTINGS = [f"generate.operators={OPERATORS}", f"generate.forms={FORMS}", "generate.seeds=[web]", "generate.max_tokens=1200",
            "generate.documents=24", "generate.domains=[physics, mathematics]", "generate.attempts=3"]  # fmt: skip
CONTEXT = 16384  # tokens; the tokenizer of the tests has 512 entries, so that a prompt of a step has thousands
STAGE = Path("small@1") / "generate"
WINDOW, REPLY_S = 8, 0.05  # of the fixture's recipe, and how long the teacher takes for a reply
HANDED_OUT = int(AHEAD * WINDOW + DURABLE_S * WINDOW / REPLY_S)  # at this rate: in flight, waiting, or not yet durable
PATIENCE_S = 120.0


def resolved(recipe: Path, *more: str) -> Recipe:
    return resolve(str(recipe), [*SETTINGS, *more], {}).recipe


def rows(folder: Path, kind: str) -> list[dict]:
    return [row for path in sorted((folder / kind).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


@pytest.fixture
def fake() -> Iterator[FakeTeacher]:
    """With room for the prompts of late steps, which hold the texts of the steps before."""
    with FakeTeacher(context=CONTEXT) as server:
        yield server


@pytest.fixture
def whole(recipe: Path) -> Recipe:
    """A run from beginning to end."""
    found = resolved(recipe)
    run(found, until="generate", talk=Talk(quiet=True))
    return found


def test_a_run_of_operators_replays_and_explains_every_step_of_every_document(whole: Recipe, fake: FakeTeacher) -> None:
    folder = Path(whole.store) / STAGE
    documents, asked = rows(folder, "documents"), fake.counts()["requests"]
    fake.kill()
    assert [item.same for item in replay(whole)] == [True]
    manifest = load_manifest(open_store(folder))
    assert manifest is not None
    assert manifest.totals["requests"] == asked == len(rows(folder, "replies")) > manifest.totals["attempts"]
    made_by = {row["form"]: row["lineage"]["operators"] for row in documents}
    assert made_by["glossary"] == []
    assert made_by["augmented_passage"] == ["rewrite:exercise:discussion:solution"]
    assert made_by["passage_dialogue"] == ["dialogue:4"]
    assert made_by["short_answer_question"][0].startswith("plurality:")
    assert made_by["multiple_choice"][0] == "schema"
    assert made_by["textbook_section"][0].startswith("revise:")
    first = {row["form"]: row for row in documents}.values()
    for row in first:
        told = explain(whole, row["id"])
        assert told["prompt_is_the_one_sent"], row["form"]
        keys = {step["request_key"] for step in told["steps"] if step["prompt_is_the_one_sent"]}
        assert keys == {row["lineage"]["request_key"], *row["lineage"]["parents"]}
        assert len(told["replies"]) == len(told["steps"]) == 1 + len(row["lineage"]["parents"])
        shown = "\n".join(lines(told))
        assert all(step["prompt"][-1]["content"][:60] in shown for step in told["steps"])


def test_a_rejected_attempt_tells_the_steps_that_led_to_its_reason(whole: Recipe) -> None:
    rejected = next(
        row for row in rows(Path(whole.store) / STAGE, "rejected") if row["reason"] in ("too_easy", "no_plurality")
    )
    told = explain(whole, rejected["id"])
    assert [step["step"] for step in told["steps"]] == ["write"] + ["plurality_answer"] * 5
    assert len(told["replies"]) == 6


def test_killed_between_any_two_steps_the_run_goes_on_to_the_same_documents(
    whole: Recipe, recipe: Path, tmp_path: Path
) -> None:
    kills, killed = 2, 0
    with FakeTeacher(delay_s=REPLY_S, context=CONTEXT) as slow:
        told = [*SETTINGS, f"store={tmp_path}/killed", f"teacher.endpoints=['{slow.url}']"]
        command = [sys.executable, "-m", "ray_jobs.cli.main", "generate", str(recipe)]
        command += [part for setting in told for part in ("--set", setting)]
        while True:
            before = slow.counts()["answered"]
            with (tmp_path / "log").open("ab") as log:
                process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
                                           stdout=log, stderr=log)  # fmt: skip
            end = time.monotonic() + PATIENCE_S
            while killed < kills and process.poll() is None and slow.counts()["answered"] < before + 40:
                assert time.monotonic() < end
                time.sleep(0.02)
            if killed == kills or process.poll() is not None:
                break
            process.kill()
            process.wait()
            killed += 1
        assert process.wait(PATIENCE_S) == 0, (tmp_path / "log").read_text("utf-8")[-3000:]
        sent = slow.counts()["requests"]
    assert killed == kills
    assert filled(tmp_path / "killed" / STAGE) == filled(Path(whole.store) / STAGE)
    wanted = {row["request_key"] for row in rows(Path(whole.store) / STAGE, "replies")}
    again = rows(tmp_path / "killed" / STAGE, "replies")
    assert {row["request_key"] for row in again} == wanted
    assert len(again) == len(wanted)
    assert sent <= len(wanted) + kills * HANDED_OUT


def test_the_spend_cap_holds_between_the_steps_of_an_attempt(recipe: Path, fake: FakeTeacher) -> None:
    from corpus.errors import YieldError

    with pytest.raises(YieldError, match="are spent, which leaves no room"):
        run(resolved(recipe, "limits.tokens=40000"), until="generate", talk=Talk(quiet=True))
    before = fake.counts()["requests"]
    found = resolved(recipe)
    run(found, until="generate", talk=Talk(quiet=True))
    assert 0 < before < fake.counts()["requests"] == len(rows(Path(found.store) / STAGE, "replies"))


def test_a_preview_plays_the_whole_attempt(whole: Recipe) -> None:
    shown = "\n".join(preview_rows(whole, 12))
    for step in ("── write", "── plurality_answer", "── rewrite_discussion", "── dialogue_tutor", "── the document"):
        assert step in shown
