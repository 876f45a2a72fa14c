"""The wheel: built from this clone, installed in an environment of its own, used in a folder where no clone is.

The fresh environment borrows the packages of the running one (a full install takes minutes), but not this clone: it
is in the running one by a `.pth` file, and such files are not followed from a borrowed folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.fake_teacher import FakeTeacher

ROOT = Path(__file__).parents[1]
FOLDERS = ("corpus", "prompts", "generator", "filters", "trainer", "ray_jobs", "recipes")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def home(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the wheel in it."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    (site,) = place.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return place / "bin"


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeTeacher]:
    with FakeTeacher() as server:
        yield server


def call(home: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [str(home / words[0]), *words[1:]], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_every_data_file_is_in_the_wheel(wheel: Path) -> None:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    ours = {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}
    assert {"prompts/styles.yaml", "corpus/report_page.html", "recipes/demo.yaml", "filters/lid.176.ftz"} <= ours
    assert ours - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_no_dependency_installs_another_fasttext_over_the_one_that_trains(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (item for item in archive.namelist() if item.endswith(".dist-info/METADATA"))
        needed = [line for line in archive.read(name).decode().splitlines() if line.startswith("Requires-Dist: ")]
    assert [line for line in needed if "fast" in line] == ["Requires-Dist: fasttext-community==0.11.9"]


def test_the_wheel_is_what_runs(home: Path, tmp_path: Path) -> None:
    code = "import json, corpus, prompts, ray_jobs, recipes; print(json.dumps([corpus.__file__, prompts.__file__, ray_jobs.__file__, recipes.__file__]))"
    places = json.loads(call(home, tmp_path, "python", "-c", code).stdout)
    assert all(Path(place).is_relative_to(home.parent) for place in places)
    found = {
        item["what"]: item["good"] for item in json.loads(call(home, tmp_path, "hornbook", "doctor", "--json").stdout)
    }
    assert found["modules"]
    assert found["fasttext module"]


def test_new_preview_and_run_work_in_a_folder_without_a_clone(home: Path, tmp_path: Path, fake: FakeTeacher) -> None:
    from trainer.tokenizer import train_tokenizer

    tokenizer = train_tokenizer([" ".join(sys.stdlib_module_names)] * 4, 400, tmp_path / "tokenizer").parent
    made = call(home, tmp_path, "hornbook", "new", "mine.yaml", "--from", "demo")
    assert (made.returncode, made.stdout) == (0, "mine.yaml\n")
    assert (tmp_path / "recipe.schema.json").is_file()
    chosen = [f"teacher.endpoints=['{fake.url}']", f"teacher.model={fake.model}", f"teacher.tokenizer={tokenizer}",
              "generate.documents=12", "sources.machine.documents=400", "student=null", "run.workers=0"]  # fmt: skip
    settings = [word for item in chosen for word in ("--set", item)]
    shown = call(home, tmp_path, "hornbook", "preview", "mine.yaml", "-n", "1", *settings)
    assert shown.returncode == 0, shown.stderr
    assert "── reply" in shown.stdout
    done = call(home, tmp_path, "hornbook", "run", "mine.yaml", *settings)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "mine@1" / "report.html").is_file()
    assert "12 of 12 filled" in done.stdout
