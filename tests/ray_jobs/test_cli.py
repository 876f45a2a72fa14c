from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from ray_jobs.cli.main import app

ROOT = Path(__file__).parents[2]
TEXT = "Water boils at a lower temperature on a mountain, because the air presses on it with less force. " * 4


def hornbook(*words: str, folder: Path = ROOT, columns: str = "160") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ray_jobs.cli.main", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": columns}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


@pytest.mark.parametrize("verb, command", [pytest.param(*item, id=item[0]) for item in commands(get_command(app))])
def test_every_verb_has_help_with_an_example_that_its_options_allow(verb: str, command: Any) -> None:
    examples = [line for line in command.help.splitlines() if line.startswith(f"  hornbook {verb}")]
    assert examples, command.help
    options = {name for parameter in command.params for name in parameter.opts}
    used = {word for line in examples for word in shlex.split(line, comments=True) if word.startswith("-")}
    assert command.context_settings.get("ignore_unknown_options") or used <= options


def test_examples_stand_one_a_line_in_help_however_narrow() -> None:
    told = hornbook("filter", "dedup", "--help", columns="60").stdout
    assert "\n    hornbook filter dedup pages.jsonl.gz --unit passage --words 50 --out unique.parquet\n" in told
    assert "\b" not in told


@pytest.mark.parametrize("group", ["", "teacher", "filter", "student", "cluster"])
def test_help_tells_each_verb_in_one_whole_line(group: str) -> None:
    found = hornbook(*group.split(), "--help", columns="80")
    assert found.returncode == 0, found.stderr
    assert "..." not in found.stdout.partition("Commands:")[2]


def test_help_comes_within_half_a_second() -> None:
    times = []
    while len(times) < 5 and min(times, default=1.0) >= 0.5:
        begun = time.monotonic()
        hornbook("--help")
        times.append(time.monotonic() - begun)
    assert min(times) < 0.5


def test_a_bad_recipe_ends_with_2_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("name: bad\nstudnet: {}\n", "utf-8")
    found = hornbook("validate", str(tmp_path / "bad.yaml"))
    assert found.returncode == 2
    assert "did you mean `student`?" in found.stderr
    assert found.stdout == ""


def test_schema_is_json_schema_with_a_description_for_every_teacher_key() -> None:
    schema = json.loads(hornbook("schema").stdout)
    teacher = schema["$defs"]["TeacherConfig"]["properties"]
    assert "endpoints" in teacher
    assert all("description" in value for value in teacher.values())


def test_plan_as_json_counts_the_slots(tmp_path: Path) -> None:
    settings = ("--set", "generate.documents=40", "--set", f"store={tmp_path}")
    found = json.loads(hornbook("plan", "demo", *settings, "--json").stdout)
    assert found["slots"] == 40 == sum(found["cells"].values())


def test_filter_score_writes_one_row_a_document_and_names_unreadable_rows(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    rows = [json.dumps({"text": TEXT}), "{broken", json.dumps({"text": "short"})]
    (tmp_path / "in.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
    out = tmp_path / "scores.parquet"
    found = hornbook("filter", "score", str(tmp_path / "in.jsonl"), "--out", str(out))
    assert found.returncode == 0, found.stderr
    table = pq.read_table(out)
    assert table["verdict"].to_pylist().count("rejected") >= 1
    assert table.num_rows == 2
    assert {"id", "verdict", "reason", "detail"} <= set(table.column_names)
    assert "1 rows not readable" in found.stderr


def test_filter_dedup_keeps_one_of_each_copy(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    rows = [TEXT, TEXT.upper(), TEXT + " And more.", "Something else entirely, about stars and their colours at night."]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": row}) + "\n" for row in rows), "utf-8")
    found = hornbook("filter", "dedup", str(tmp_path / "in.jsonl"), "--out", str(tmp_path / "out.parquet"))
    assert found.returncode == 0, found.stderr
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 2
