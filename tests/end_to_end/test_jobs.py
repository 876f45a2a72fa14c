"""A run as a Ray job on a started head: submitted both ways, followed, stopped, gone on with."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from corpus.journal import read_journal
from corpus.manifest import load_manifest
from corpus.store import open_store
from ray_jobs.code import code_hash
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.ray_head import ROOT, Head, started_head

pytestmark = [pytest.mark.ray, pytest.mark.timeout(280)]


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    import ray

    ray.shutdown()  # a Ray of other tests holds the port that the head's job agent wants
    with started_head(tmp_path_factory.mktemp("head")) as found:
        yield found


def until(what: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.2)


def test_a_run_is_submitted_as_a_job_with_logs_and_its_result(recipe: Path, tmp_path: Path, head: Head) -> None:
    """The recipe lies where the job does not look, its store is relative, and both arrive by value."""
    settings = ["--set", "store=of-job", "--set", "run.workers=null"]
    done = head.hornbook("cluster", "submit", recipe.name, *settings, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    job = done.stdout.split()[0]
    assert "kept" in head.hornbook("cluster", "logs", job).stdout
    followed = head.hornbook("cluster", "logs", job, "--follow")
    assert (followed.returncode, "kept" in followed.stdout) == (0, True)
    assert head.hornbook("cluster", "stop", job).stdout == f"{job}: SUCCEEDED\n"
    manifest = load_manifest(open_store(tmp_path / "of-job" / "small@1" / "blend"))
    assert manifest is not None
    assert manifest.code == code_hash()


def test_a_job_that_fails_ends_with_the_exit_code_of_its_run(recipe: Path, tmp_path: Path, head: Head) -> None:
    empty = ["generate.min_words=5000", "generate.attempts=1", "limits.required_yield=0.5"]
    settings = [word for item in (*empty, f"store={tmp_path}/job") for word in ("--set", item)]
    done = head.hornbook("cluster", "submit", str(recipe), *settings)
    assert done.returncode == 4, done.stderr[-3000:]
    unknown = head.hornbook("cluster", "logs", "raysubmit_nothing")
    assert unknown.returncode == 3
    assert "raysubmit_nothing" in unknown.stderr


def test_a_plain_ray_job_runs_the_recipe(recipe: Path, tmp_path: Path, head: Head) -> None:
    ray = str(Path(sys.executable).parent / "ray")
    done = head.run(ray, "job", "submit", "--address", head.address, "--working-dir", str(ROOT), "--", "hornbook",
                    "run", str(recipe), "--set", f"store={tmp_path}/plain", "--set", "run.workers=null")  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert (tmp_path / "plain" / "small@1" / "report.html").is_file()


def test_a_stopped_job_commits_what_it_has_and_the_next_one_goes_on(recipe: Path, tmp_path: Path, head: Head) -> None:
    window = 6
    with FakeTeacher(delay_s=4.0) as slow:  # longer than the 3 s that Ray leaves a job which does not ask for more
        settings = ["--set", f"store={tmp_path}/job", "--set", "run.workers=null", "--set", f"teacher.concurrency={window}",
                    "--set", f"teacher.endpoints=['{slow.url}']"]  # fmt: skip
        job = head.hornbook("cluster", "submit", str(recipe), "--no-wait", *settings).stdout.strip()
        until(lambda: slow.counts()["answered"] >= 6)
        assert head.of_a_run()
        stopped = head.hornbook("cluster", "stop", job)
        assert stopped.stdout == f"{job}: STOPPED\n", stopped.stderr
        asked = slow.counts()
        assert head.of_a_run() == []
        assert asked["in_flight"] == 0
        assert asked["answered"] < 24
        journal = list(read_journal(open_store(tmp_path / "job" / "small@1" / "generate" / "journal")))
        assert len(journal) == asked["answered"]

        again = head.hornbook("cluster", "submit", str(recipe), *settings)
        assert again.returncode == 0, again.stderr[-3000:]
        made = load_manifest(open_store(tmp_path / "job" / "small@1" / "generate"))
        assert made is not None
        assert slow.counts()["requests"] == made.totals["attempts"], "something was asked twice"


@pytest.mark.soak
@pytest.mark.teacher
@pytest.mark.timeout(900)
def test_the_small_demo_with_the_real_teacher_is_stopped_as_a_job_and_goes_on(tmp_path: Path, head: Head) -> None:
    small = ["generate.documents=24", "teacher.concurrency=8", "sources.machine.documents=400", "student.tokens=16384",
             "student.vocab_size=1024", "limits.required_yield=0.3", f"store={tmp_path}/runs"]  # fmt: skip
    settings = [word for setting in small for word in ("--set", setting)]
    job = head.hornbook("cluster", "submit", "demo", "--no-wait", *settings).stdout.strip()
    store = open_store(tmp_path / "runs" / "demo@1" / "generate" / "journal")
    until(lambda: len(answered(store)) >= 6, 400)
    stopped = head.hornbook("cluster", "stop", job)
    assert stopped.stdout == f"{job}: STOPPED\n", stopped.stderr
    assert head.of_a_run() == []
    before = answered(store)

    again = head.hornbook("cluster", "submit", "demo", *settings)
    print(again.stderr)
    assert again.returncode == 0, again.stderr[-3000:]
    assert head.of_a_run() == []
    assert "next    hornbook show demo" in again.stderr
    made = load_manifest(open_store(tmp_path / "runs" / "demo@1" / "generate"))
    assert made is not None
    assert made.totals["requests"] <= made.totals["attempts"] - len(before), "a stored reply was asked for again"
    assert (tmp_path / "runs" / "demo@1" / "report.html").is_file()


def answered(store: object) -> set[str]:
    return {record["request_key"] for record in read_journal(store) if record["kind"] == "reply"}  # type: ignore[arg-type]
