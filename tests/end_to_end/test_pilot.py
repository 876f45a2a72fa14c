"""A pilot forecasts what the run then costs, its replies are kept for the run, and the ledger sets both side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import RecipeError
from ray_jobs.cli.overview import plan_of, status_of
from ray_jobs.drive import run
from ray_jobs.ending import write_report
from ray_jobs.forecast import lines
from ray_jobs.pilot import run_pilot
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.end_to_end.test_reuse import write_slots
from tests.fakes.fake_teacher import FakeTeacher

PRICE = "teacher.price={prompt_per_million: 1, completion_per_million: 4, currency: EUR}"


def test_a_pilot_forecasts_tokens_and_time_of_the_run_which_takes_its_replies_over(
    tmp_path: Path, tokenizer: Path
) -> None:
    recipe = write_slots(tmp_path, tokenizer, documents=400)
    with FakeTeacher(token_s=0.004, spread=0.5) as fake:
        given = [f"teacher.endpoints=['{fake.url}']", PRICE, "generate.max_tokens=400", "generate.min_words=60",
                 "generate.attempts=2"]  # fmt: skip
        found = run_pilot(resolve(str(recipe), given, {}).recipe, 80, Talk(quiet=True))
        sent = fake.counts()["requests"]
        assert sent == found.attempts > 80, "every attempt was sent once, and short replies were asked again"
        assert fake.counts()["most_in_flight"] == 16
        assert plan_of(str(recipe), given)["requests answered before"].startswith(f"{sent} ({sent} by this run")
        drive = run(resolve(str(recipe), given, {}).recipe, until="generate", talk=Talk(quiet=True))
        manifest = drive.manifests["generate"]
        assert fake.counts()["requests"] == manifest.totals["attempts"], "what the pilot asked is not asked again"
    actual = {row[0]: row[3] for row in manifest.facts["ledger"]["rows"]}
    assert found.tokens.value == pytest.approx(actual["tokens"], rel=0.15)
    assert found.tokens.low < actual["tokens"] < found.tokens.high
    assert found.documents.value == pytest.approx(actual["documents"], rel=0.1)
    assert found.money is not None
    assert found.money.value == pytest.approx(actual["money (EUR)"], rel=0.15)
    assert found.seconds is not None
    assert found.seconds.value == pytest.approx(actual["seconds of asking after the pilot"], rel=0.25)
    on_disk = sum(path.stat().st_size for path in (tmp_path / "runs/slots@1/generate").rglob("*") if path.is_file())
    assert found.disk_bytes.value == pytest.approx(on_disk, rel=0.3)
    told = dict(lines(found))
    assert told["pilot"].startswith("80 of 400 slots")
    assert "EUR" in told["money"]
    forecast = {row[0]: row[1] for row in manifest.facts["ledger"]["rows"]}
    assert forecast["tokens"] == round(found.tokens.value)
    assert "What it cost" in Path(write_report(resolve(str(recipe), given, {}).recipe)).read_text("utf-8")
    assert status_of(str(recipe), given)["stages"]["generate"]["ledger"] == manifest.facts["ledger"]
    with pytest.raises(RecipeError, match="asked everything already"):
        run_pilot(resolve(str(recipe), given, {}).recipe, 80, Talk(quiet=True))


def test_a_pilot_again_asks_nothing_and_says_that_time_is_not_known(tmp_path: Path, tokenizer: Path) -> None:
    recipe = write_slots(tmp_path, tokenizer)
    with FakeTeacher() as fake:
        given = [f"teacher.endpoints=['{fake.url}']"]
        first = run_pilot(resolve(str(recipe), given, {}).recipe, 20, Talk(quiet=True))
        again = run_pilot(resolve(str(recipe), given, {}).recipe, 20, Talk(quiet=True))
        assert fake.counts()["requests"] == 20
    assert first.seconds is not None
    assert again.seconds is None
    assert again.tokens == first.tokens
    assert "not known" in dict(lines(again))["asking, what is left"]
