"""A student taught, talked to, made smaller, compared and published by the command's own functions."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.errors import RecipeError, StateError
from ray_jobs.student_chat import talk
from ray_jobs.student_config import student_config
from ray_jobs.student_files import train_files
from ray_jobs.student_instructions import tune
from ray_jobs.student_publishing import publish_student
from ray_jobs.student_shapes import compress_files
from ray_jobs.student_table import compared, rendered, side_by_side
from tests.fakes.hub_server import HubServer
from tests.ray_jobs.test_student_verbs import TINY
from tests.trainer.conftest import texts
from trainer.footprint import Footprint, measured
from trainer.train import RESULT

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("student")
    pages(home)
    train_files([str(home / "pages.jsonl")], home / "base", student_config("tiny", [*TINY, "model.context=64"]))
    return home / "base"


def pages(home: Path) -> str:
    (home / "pages.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts(40)), "utf-8")
    return str(home / "pages.jsonl")


@pytest.fixture(scope="module")
def tutor(student: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Taught one answer to every question, which a model of this size can learn."""
    home = tmp_path_factory.mktemp("tutor")
    rows = [
        {"instruction": f"{word}?", "output": "The river turns."} for word in ("stone", "light", "water", "engine") * 8
    ]
    (home / "ask.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    tune(
        [str(home / "ask.jsonl")],
        str(student / "model"),
        home / "out",
        12.0,
        1.0,
        ["optimizer.adamw_lr=5e-3", "dtype=float32"],
    )
    return home / "out"


def said(model: Path, lines: str) -> str:
    out = io.StringIO()
    talk(model, 0.0, 12, "", 0, io.StringIO(lines), out)
    return out.getvalue()


def test_a_taught_student_answers_as_it_was_taught_and_stops(tutor: Path) -> None:
    assert said(tutor / "model", "letter?\n") == "The river turns.\n"
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tutor / "model")
    shown = tokenizer.apply_chat_template(
        [{"role": "user", "content": "stone?"}], add_generation_prompt=True, tokenize=False
    )
    assert shown == "<|endoftext|>### User:\nstone?\n\n### Assistant:\n"


def test_an_untaught_one_goes_on_where_one_stops(student: Path) -> None:
    assert len(said(student / "model", "The river\n").split()) > 2


def test_compressing_tells_what_was_lost(student: Path, tmp_path: Path) -> None:
    told = json.loads(compress_files(student / "model", tmp_path / "small", "int8", 1.0, [pages(tmp_path)]))
    assert abs(told["loss_change"]) < 0.01
    assert told["served"] == "as it is"


def test_healing_is_told_on_text_that_it_did_not_read(student: Path, tmp_path: Path) -> None:
    file = pages(tmp_path)
    told = json.loads(compress_files(student / "model", tmp_path / "small", "low-rank", 0.3, [file], tokens=4_000))
    assert told["healed"]["bits_per_byte"] < told["after"]["bits_per_byte"]
    assert told["healing"][-1][0] <= 4_100
    short = tmp_path / "short.jsonl"
    short.write_text(json.dumps({"text": texts(1)[0]}), "utf-8")
    with pytest.raises(RecipeError, match="every tenth"):
        compress_files(student / "model", tmp_path / "x", "low-rank", 0.3, [str(short)], tokens=4_000)


def test_a_models_cost_is_measured_and_set_in_a_table(
    student: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(compress_files(student / "model", tmp_path / "small", "gguf-q8", 1.0, []))
    measured(str(tmp_path / "small"), "16", "4")
    row = {"model": "small", **json.loads(capsys.readouterr().out)}
    assert row["bytes"] == told["bytes"] < 0.5 * (student / "model" / "model.safetensors").stat().st_size
    assert row["parameters"] == json.loads((student / RESULT).read_text())["parameters"]
    assert row["tokens_per_second"] > 1
    assert "first token ms" in rendered([row], as_json=False)


def test_the_report_says_how_many_times_as_much_the_teacher_costs() -> None:
    small, large = Footprint(1_330_000, 5_300_000, 20_000_000, 64, 0.0031, 800), Footprint(135_000_000, 269_000_000, 814_000_000, 64, 0.244, 20)  # fmt: skip
    fact = side_by_side({"student": small, "teacher": large})
    assert [row[0] for row in fact["rows"]] == ["student", "teacher"]
    assert fact["rows"][1][1:] == ["135.00 M", "269.0", "814", "244.0", "20", "40 ×"]


@pytest.mark.soak
def test_the_table_sets_students_side_by_side(student: Path) -> None:
    rows = compared([student / "model", student / "model"], "", [])
    assert [row["prompt"] for row in rows] == [64, 64]


def test_a_published_student_says_where_it_comes_from(student: Path, tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_text(json.dumps({"held-out": {"bits_per_byte": 2.5}}))
    publish_student(student, tmp_path / "out", "", None, "", tmp_path / "scores.json", "Apache-2.0")
    card = (tmp_path / "out" / "README.md").read_text()
    record = json.loads((student / RESULT).read_text())
    assert "license: apache-2.0" in card
    assert f"| parameters | {record['parameters']} |" in card
    assert "per\\_byte | 2.5 |" in card
    assert (tmp_path / "out" / "model.safetensors").is_file()
    with pytest.raises(RecipeError, match="publish where to"):
        publish_student(student, None, "", None, "", None, "unknown")
    with pytest.raises(StateError, match="has not finished"):
        publish_student(tmp_path, tmp_path / "x", "", None, "", None, "unknown")


def test_a_student_goes_to_the_hub_in_one_commit(student: Path, tmp_path: Path) -> None:
    code = ("import sys; from pathlib import Path; from ray_jobs.student_publishing import publish_student as p;"
            "print(p(Path(sys.argv[1]), None, 'me/tutor', None, '', None, 'MIT'))")  # fmt: skip
    with HubServer() as hub:
        environment = {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_test", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path),
                       "HF_HUB_DISABLE_XET": "1"}  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", code, str(student)], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert hub.state.head("me/tutor").oid in done.stdout
        there = hub.state.head("me/tutor").files
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json"} <= set(there)
    assert there["model.safetensors"] == (student / "model" / "model.safetensors").read_bytes()
