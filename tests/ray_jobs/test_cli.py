from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = "Water boils at a lower temperature on a mountain, because the air presses on it with less force. " * 4


def hornbook(*words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ray_jobs.cli.main", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "160"}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)


@pytest.mark.parametrize(
    "verb",
    ["new", "validate", "plan", "preview", "generate", "run", "status", "show", "report", "doctor", "schema",
     "teacher serve", "filter score", "filter dedup", "filter blend", "student train", "student evaluate",
     "student export", "cluster submit", "cluster logs", "cluster stop"],
)  # fmt: skip
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    found = hornbook(*verb.split(), "--help")
    assert found.returncode == 0, found.stderr
    assert "Example: hornbook" in " ".join(found.stdout.split())


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
