"""Exercises are run while the teacher writes, what does not hold is asked again, and a replay runs no code."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.document import Document
from corpus.errors import SetupError
from corpus.manifest import Manifest, load_manifest, table_of
from generator import jail
from generator.verification import Verifying
from ray_jobs.drive import run
from ray_jobs.line import run_folder
from ray_jobs.pilot import run_pilot
from ray_jobs.recipe import Recipe
from ray_jobs.replay import replay
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.fakes.fake_teacher import FakeTeacher

SETTINGS = (
    "generate.documents=8", "generate.forms=[function_exercise]", "generate.domains=[python]", "generate.attempts=4",
    "generate.accept=false", "generate.min_words=20",
)  # fmt: skip


def resolved(recipe: Path, verify: str) -> Recipe:
    return resolve(str(recipe), [*SETTINGS, f"generate.verify={verify}"], {}).recipe


def generated(recipe: Recipe) -> tuple[Manifest, list[dict], list[dict]]:
    run(recipe, until="generate", talk=Talk(quiet=True))
    store = run_folder(recipe).child("generate")
    manifest = load_manifest(store)
    assert manifest is not None
    return manifest, *(table_of(store, manifest, kind).to_pylist() for kind in ("documents", "verdicts"))


def test_only_what_holds_is_kept_and_a_replay_needs_no_jail(
    recipe: Path, fake: FakeTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = resolved(recipe, "code")
    manifest, documents, verdicts = generated(found)
    assert documents
    assert all(row["lineage"]["operators"][-1].startswith("verified:code:") for row in documents)
    assert {"code.fails", "code.vacuous_tests"} <= set(manifest.reasons)
    good = {row["id"] for row in verdicts if not row["reason"]}
    assert {row["id"] for row in documents} == good
    assert all("item + " not in row["text"] for row in documents)
    monkeypatch.setattr(jail, "Warden", None)
    fake.kill()
    assert [item.same for item in replay(found)] == [True]


def test_without_a_jail_a_verifying_run_ends_before_a_token_is_spent(
    recipe: Path, fake: FakeTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jail, "deny_list", lambda: None)
    with pytest.raises(SetupError, match="jail") as raised:
        generated(resolved(recipe, "code"))
    assert raised.value.exit_code == 3
    assert fake.counts()["requests"] == 0


def test_without_a_jail_code_is_marked_and_never_run_where_the_recipe_allows(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jail, "deny_list", lambda: None)
    found = resolved(recipe, "where_possible")
    manifest, documents, verdicts = generated(found)
    assert {row["lineage"]["operators"][-1] for row in documents} == {"unverified:code"}
    assert all(row["unverified"] and row["programs"] == 0 for row in verdicts)
    assert not any(reason.startswith("code.") for reason in manifest.reasons)
    assert [item.same for item in replay(found)] == [True]


def test_a_pilot_runs_the_code_too_and_the_run_takes_its_verdicts_over(
    recipe: Path, fake: FakeTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = resolve(str(recipe), [*SETTINGS, "generate.verify=code", "generate.coverage.replacements=0"], {}).recipe
    forecast = run_pilot(found, 8, Talk(quiet=True))
    sent = fake.counts()["requests"]
    assert forecast.kept < forecast.attempts, "what does not hold is not counted as kept"
    monkeypatch.setattr(Verifying, "submit", _no_more)
    _, documents, _ = generated(found)
    assert len(documents) == forecast.kept
    assert fake.counts()["requests"] == sent


def _no_more(self: Verifying, document: Document) -> None:
    raise AssertionError(f"{document.id} was run by the pilot already")
