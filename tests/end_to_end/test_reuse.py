"""A run that was edited or extended under a new version re-asks only what changed, counted at the teacher."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from corpus.errors import YieldError
from corpus.manifest import load_manifest, table_of
from corpus.store import open_store
from ray_jobs.cli.overview import plan_of, status_of
from ray_jobs.drive import run
from ray_jobs.replay import replay
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.slots import filled
from tests.fakes.teacher_server import Fault


def write_slots(folder: Path, tokenizer: Path, *more: str, documents: int = 60) -> Path:
    """Slots only; every reply of the fake teacher is kept, so that the counts are exact."""
    path = folder / "slots.yaml"
    path.write_text(
        f"""\
name: slots
seed: 5
store: {folder}/runs
teacher: {{model: {FakeTeacher.model}, tokenizer: {tokenizer}, concurrency: 16, timeout_s: 30}}
generate: {{documents: {documents}, attempts: 1, max_tokens: 200, min_words: 20, accept: false}}
filters: {{quality: 0, language_confidence: 0, languages: [], profiles: {{synthetic: synthetic}}}}
run: {{workers: 0}}
""",
        "utf-8",
    )
    return path


def asked(recipe: Path, fake: FakeTeacher, *settings: str, until: str = "generate") -> int:
    """Run; how many requests reached the teacher."""
    before = fake.counts()["requests"]
    given = [f"teacher.endpoints=['{fake.url}']", *settings]
    run(resolve(str(recipe), given, {}).recipe, until=until, talk=Talk(quiet=True))
    return fake.counts()["requests"] - before


def test_more_documents_or_other_filters_ask_only_for_what_is_new(tmp_path: Path, tokenizer: Path) -> None:
    recipe = write_slots(tmp_path, tokenizer)
    with FakeTeacher() as fake:
        assert asked(recipe, fake) == 60
        told = plan_of(str(recipe), ["version=2", "generate.documents=90"])["requests answered before"]
        assert told.startswith("60 (0 by this run, 60 by others")
        assert asked(recipe, fake, "version=2", "generate.documents=90") == 30
        assert asked(recipe, fake, "version=3", "generate.min_words=30") == 0
        assert asked(recipe, fake, "version=4", "run.reuse=false") == 60
        assert asked(recipe, fake, "version=5", "teacher.temperature=0.7") == 60
    first, second, third = (filled(tmp_path / f"runs/slots@{version}/generate") for version in (1, 2, 3))
    assert set(first.kept) < set(second.kept)
    assert first.kept == third.kept


def test_raising_max_tokens_asks_again_exactly_for_the_500_of_1000_that_were_cut(
    tmp_path: Path, tokenizer: Path
) -> None:
    recipe = write_slots(tmp_path, tokenizer, documents=1000)
    with FakeTeacher(Fault("at_limit", times=500)) as fake:
        assert asked(recipe, fake) == 1000
        assert asked(recipe, fake, "version=2", "generate.max_tokens=400") == 500
        assert asked(recipe, fake, "version=3", "generate.max_tokens=400") == 0
    store = open_store(tmp_path / "runs/slots@2/generate")
    manifest = load_manifest(store)
    assert manifest is not None
    replies = table_of(store, manifest, "replies")
    assert set(replies["finish_reason"].to_pylist()) == {"stop"}
    assert len(set(replies["request_key"].to_pylist())) == 1000, "its own replies hold what it took from elsewhere"
    assert manifest.totals["reused"] == 500


def test_a_changed_template_asks_again_only_for_its_own_form(tmp_path: Path, tokenizer: Path) -> None:
    """A form of the library is laid over with another template."""
    from generator.config import GenerateConfig
    from ray_jobs.planning import library_of, plan_for

    recipe = write_slots(tmp_path, tokenizer)
    shelf = library_of(GenerateConfig()).of("en")
    plan = plan_for(resolve(str(recipe), [], {}).recipe, open_store(tmp_path))
    form = plan.slots[0].cell.form
    template = shelf.forms[form].template
    users = sum(shelf.forms[slot.cell.form].template == template for slot in plan.slots)
    home = Path(__file__).parents[2] / "prompts"
    text = shelf.templates[template]
    (source,) = (path for path in home.rglob(template) if path.read_text("utf-8") == text)
    laid = tmp_path / "library" / source.relative_to(home)
    laid.parent.mkdir(parents=True)
    laid.write_text(text + "\nKeep to the point.\n", "utf-8")
    with FakeTeacher() as fake:
        assert asked(recipe, fake) == 60
        assert asked(recipe, fake, "version=2", f"generate.library={tmp_path}/library") == users
    assert 0 < users < 60


def test_the_dataset_replays_after_the_run_that_it_took_replies_from_is_gone(tmp_path: Path, tokenizer: Path) -> None:
    import shutil

    recipe = write_slots(tmp_path, tokenizer)
    with FakeTeacher() as fake:
        asked(recipe, fake)
        assert asked(recipe, fake, "version=2", until="filter") == 0
    shutil.rmtree(tmp_path / "runs/slots@1")
    assert [made.same for made in replay(resolve(str(recipe), ["version=2"], {}).recipe)] == [True, True]


def test_a_damaged_run_costs_requests_and_no_error(
    tmp_path: Path, tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_slots(tmp_path, tokenizer)
    with FakeTeacher() as fake:
        asked(recipe, fake)
        (tmp_path / "runs/slots@1/generate/manifest.json").write_bytes(b"{}")
        assert plan_of(str(recipe), ["version=2"])["requests answered before"].startswith("0 ")
        assert "slots@1 is left out of reuse" in capsys.readouterr().err
        assert asked(recipe, fake, "version=2") == 60


@pytest.mark.parametrize("cap", ["limits.tokens=6000", "limits.money=0.06"])
def test_a_cap_ends_with_exit_4_is_never_exceeded_and_a_higher_one_goes_on(
    tmp_path: Path, tokenizer: Path, cap: str
) -> None:
    recipe = write_slots(tmp_path, tokenizer)
    price = "teacher.price={prompt_per_million: 10, completion_per_million: 10}"
    with FakeTeacher() as fake:
        with pytest.raises(YieldError) as error:
            asked(recipe, fake, cap, price)
        assert error.value.exit_code == 4
        sent = fake.counts()["requests"]
        assert 0 < sent < 60
        stored = open_store(tmp_path / "runs/slots@1/generate/journal")
        from corpus.journal import read_journal

        spent = sum(record["prompt_tokens"] + record["completion_tokens"] for record in read_journal(stored))
        assert 2000 < spent <= 6000
        assert asked(recipe, fake, price) == 60 - sent
    ledger = status_of(str(recipe), [])["stages"]["generate"]["ledger"]
    actual = {row[0]: row[3] for row in ledger["rows"]}
    assert actual["documents"] == 60
    assert actual["money (USD)"] == pytest.approx(actual["tokens"] * 1e-5)
    assert actual["teacher tokens for an accepted document"] == pytest.approx(actual["tokens"] / 60, abs=0.1)
    assert orjson.dumps(ledger)
