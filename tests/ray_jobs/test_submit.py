"""What a job is handed, checked without a cluster."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from corpus.errors import RecipeError
from ray_jobs.job import VARIABLE, check_store
from ray_jobs.resolve import resolve
from ray_jobs.submit import ROOT, SHIPPED, _parcel, check_paths

INSIDE = {VARIABLE: "{}"}


@pytest.mark.parametrize(
    "setting, key",
    [
        ("sources.web={kind: files, paths: [/data/a.jsonl, pages/*.jsonl]}", r"sources\.web\.paths = 'pages/\*\.jsonl'"),
        ("generate.library=mine", r"generate\.library = 'mine'"),
        ("teacher.tokenizer=tokenizers/big", r"teacher\.tokenizer = 'tokenizers/big'"),
        ("teacher.model=./big", r"teacher\.model = '\./big'"),
    ],
)  # fmt: skip
def test_a_path_that_a_job_could_not_find_is_refused_by_its_key(setting: str, key: str) -> None:
    with pytest.raises(RecipeError, match=f"{key} is relative"):
        check_paths(resolve("demo", [setting], {}).recipe)


def test_paths_that_a_job_finds_are_accepted() -> None:
    web = "sources.web={kind: files, paths: [/data/a.jsonl, 's3://bucket/b.parquet', 'https://host/c.warc.gz']}"
    check_paths(resolve("demo", [web, "teacher.model=org/model", "teacher.tokenizer=/models/x"], {}).recipe)


def test_inside_a_job_a_relative_store_is_refused_and_elsewhere_it_is_fine() -> None:
    relative = resolve("demo", (), {}).recipe
    check_store(relative, {})
    with pytest.raises(RecipeError, match="store = 'runs' is relative") as caught:
        check_store(relative, INSIDE)
    assert "--set store=/shared/runs" in caught.value.hint
    for place in ("/shared/runs", "s3://bucket/runs"):
        check_store(resolve("demo", (), {"HORNBOOK__STORE": place}).recipe, INSIDE)


def test_the_parcel_holds_the_code_and_a_recipe_that_means_the_same(tmp_path: Path) -> None:
    settings = ["store=/shared/runs", "student.optimizer.adamw_lr=1e-5", "teacher.terms='yes: \"all\"'"]
    recipe = resolve("demo", settings, {}).recipe
    with _parcel(recipe) as folder:
        assert {item.name for item in folder.iterdir()} == {*SHIPPED, "demo.yaml"}
        assert (folder / "filters" / "lid.176.ftz").is_file()
        assert resolve(str(folder / "demo.yaml"), (), {}).recipe == recipe
        asked = [sys.executable, "-c", "from ray_jobs.code import code_hash; print(code_hash())"]
        there, here = (subprocess.run(asked, cwd=place, capture_output=True, check=True) for place in (folder, ROOT))
        assert there.stdout == here.stdout
    assert not folder.exists()
