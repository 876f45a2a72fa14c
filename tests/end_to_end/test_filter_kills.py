"""SIGKILL in the filter stage, in each of its passes: what is judged or finished is not done again, and the result is that of
the run without a break."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from corpus.manifest import load_manifest
from corpus.store import open_store
from ray_jobs.stages import filter as filter_stage
from ray_jobs.stages import read as read_stage
from tests.end_to_end.test_resharding import output, web

__all__ = ["web"]
ROWS = 9  # documents of a shard
DRIVER = """
import os, signal, sys
from ray_jobs.drive import run
from ray_jobs.resolve import resolve
from ray_jobs.stages import filter as stage
from ray_jobs.stages import read
from ray_jobs.talk import Talk

recipe, log, where, number, rows = sys.argv[1:]
stage.SHARD_ROWS = read.SHARD_ROWS = int(rows)

def counted(name):
    function, seen = getattr(stage, name), []
    def call(*args, **words):
        made = function(*args, **words)
        seen.append(name)
        with open(log, "a") as file:
            file.write(name + "\\n")
        if name == where and len(seen) == int(number):
            os.kill(os.getpid(), signal.SIGKILL)
        return made
    setattr(stage, name, call)

for name in ("judge", "find_duplicates", "finish", "clear"):
    counted(name)
run(resolve(recipe, ["version=2"], {}).recipe, talk=Talk(quiet=True), until="filter")
"""


def drive(recipe: Path, log: Path, where: str = "", number: int = 0) -> tuple[int, Counter[str]]:
    """Exit code of a driver that kills itself after the given call, and how often each pass was called."""
    log.write_text("", "utf-8")
    words = [str(recipe), str(log), where, str(number), str(ROWS)]
    done = subprocess.run([sys.executable, "-c", DRIVER, *words], check=False)
    return done.returncode, Counter(log.read_text("utf-8").split())


@pytest.mark.parametrize(("where", "number"), [("judge", 3), ("finish", 2), ("clear", 1)])
def test_a_killed_filter_stage_goes_on_shard_by_shard(
    web: Path, tmp_path: Path, where: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filter_stage, "SHARD_ROWS", ROWS)
    monkeypatch.setattr(read_stage, "SHARD_ROWS", ROWS)
    whole, manifest = output(web, "1")
    shards = len(manifest.of("scores"))
    code, before = drive(web, tmp_path / "log", where, number)
    assert code == -signal.SIGKILL
    assert before[where] == number
    code, after = drive(web, tmp_path / "log")
    assert code == 0
    assert shards > 4
    # The record of a shard comes after its work, so the one that was in work is done once more.
    if where == "clear":
        assert after["judge"] == after["finish"] == shards  # the records go first: they never speak of what is gone
    else:
        assert after["judge"] == shards - (number - 1 if where == "judge" else shards)
        assert after["finish"] == shards - (number - 1 if where == "finish" else 0)
    found, _ = output(web, "2")
    assert found == whole
    names = open_store(tmp_path / "runs" / "shards@2" / "filter").names()
    assert {name.partition("/")[0] for name in names} == {
        "documents",
        "duplicates",
        "manifest.json",
        "rejected",
        "scores",
    }


def test_records_of_other_settings_are_not_gone_on_from(web: Path, tmp_path: Path) -> None:
    code, _ = drive(web, tmp_path / "log", "judge", 3)
    assert code == -signal.SIGKILL
    text = web.read_text("utf-8")
    web.write_text(text.replace("quality: 0", "quality: 0, toxic: {advert: 0.5}"), "utf-8")
    code, after = drive(web, tmp_path / "log")
    assert code == 0
    manifest = load_manifest(open_store(tmp_path / "runs" / "shards@2" / "filter"))
    assert manifest is not None
    assert after["judge"] == len(manifest.of("scores"))
