"""`hornbook student`: a student trained, trained on, and trained by a team, from plain files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from corpus.errors import RecipeError
from ray_jobs.cli.main import app
from ray_jobs.label_files import label_files
from ray_jobs.student_config import student_config
from ray_jobs.student_evaluation import Wanted, evaluate_files
from ray_jobs.student_files import train_files
from tests.trainer.conftest import texts

TINY = ["model.layers=1", "model.d_model=64", "model.heads=2", "model.ff=64", "model.context=32", "vocab_size=320",
        "batch_tokens=128", "log_every=1", "dtype=float32", "tokens=1280"]  # fmt: skip


@pytest.fixture
def pages(tmp_path: Path) -> str:
    file = tmp_path / "pages.jsonl"
    file.write_text("\n".join(json.dumps({"text": text}) for text in texts(40)), "utf-8")
    return str(file)


def test_training_goes_on_from_a_student_with_its_tokenizer(pages: str, tmp_path: Path) -> None:
    first = train_files([pages], tmp_path / "first", student_config("tiny", TINY))
    second = train_files([pages], tmp_path / "second", student_config("tiny", TINY, init=first))
    wanted = Wanted({"pages": [pages]}, [], [], None, 1, 0)
    told = [evaluate_files(Path(model), wanted, print)["panels"]["pages"] for model in (first, second)]
    before, after = (panel["bits_per_byte"] for panel in told)
    assert after < before - 0.1
    assert (Path(first) / "tokenizer.json").read_bytes() == (Path(second) / "tokenizer.json").read_bytes()


def test_a_student_is_distilled_from_files_in_the_tokens_of_its_teacher(pages: str, tmp_path: Path) -> None:
    teacher = train_files([pages], tmp_path / "teacher", student_config("tiny", [*TINY, "vocab_size=400"]))
    label_files([pages], tmp_path / "labels.parquet", teacher, 20, draws=20)
    settings = [
        *TINY,
        "vocab_size=400",
        "tokenizer=teacher-trimmed",
        f"distil.teacher={teacher}",
        "distil.targets=sampled",
    ]
    found = train_files([pages], tmp_path / "student", student_config("tiny", settings), [tmp_path / "labels.parquet"])
    facts = json.loads((tmp_path / "student" / "labels" / "labels.json").read_text())
    assert facts["drawn"]
    assert facts["documents"] == 40
    assert (tmp_path / "student" / "tokenizer" / "kept.npy").is_file()
    assert (Path(found) / "model.safetensors").is_file()


def test_the_loss_is_told_by_file_and_by_the_language_that_a_row_names(pages: str, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    rows = [{"text": text, "language": "zh"} for text in texts(30)]
    other.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    model = train_files([pages, str(other)], tmp_path / "out", student_config("tiny", TINY))
    by = json.loads((Path(model).parent / "result.json").read_text())["by"]
    assert set(by["source"]) == {"pages.jsonl", "other.jsonl"}
    assert set(by["language"]) == {"en", "zh"}


@pytest.mark.ray
@pytest.mark.soak  # the same without Ray is in tests/trainer/test_team.py
@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_ray_trains_one_student_with_two_workers(pages: str, tmp_path: Path, parallel: str) -> None:
    alone = train_files([pages], tmp_path / "one", student_config("tiny", TINY))
    team = train_files([pages], tmp_path / "two", student_config("tiny", TINY, workers=2, parallel=parallel))
    here, there = (json.loads((Path(model).parent / "result.json").read_text())["curve"] for model in (alone, team))
    assert len(here) == len(there) == 10
    assert all(b == pytest.approx(a, rel=1e-4) for (_, a), (_, b) in zip(here, there, strict=True))


def test_watched_files_are_told_on_the_way(pages: str, tmp_path: Path) -> None:
    command = ["student", "train", pages, "--out", str(tmp_path / "out"), "--watch", f"general={pages}"]
    command += [part for setting in [*TINY, "evaluations=2"] for part in ("--set", setting)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    told = [line for line in done.stderr.splitlines() if "general: " in line]
    assert len(told) == 3
    assert told[0].endswith("+0.0% since the start")
    assert "bits per byte, -" in told[2]


def test_a_setting_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"model\.layer.*did you mean `layers`"):
        student_config("tiny", ["model.layer=3"])
    with pytest.raises(RecipeError, match="no value"):
        student_config("tiny", ["compile"])
