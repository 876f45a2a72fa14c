"""The same line on a real Ray: same dataset as in one process, killed actors cost nothing, and a real submitted job."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ray_jobs.cluster import loopback_environment
from ray_jobs.drive import run
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.fakes.fake_teacher import FakeTeacher

pytestmark = [pytest.mark.ray, pytest.mark.timeout(280)]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def _ray_ends_with_the_tests() -> Iterator[None]:
    yield
    import ray

    ray.shutdown()


def drive(recipe: Path, *settings: str):  # type: ignore[no-untyped-def]
    return run(resolve(str(recipe), settings, {}).recipe, talk=Talk(quiet=True)).manifests


def test_on_ray_the_dataset_is_that_of_one_process_and_every_socket_is_on_loopback(
    recipe: Path, tmp_path: Path
) -> None:
    alone = drive(recipe)
    spread = drive(recipe, f"store={tmp_path}/ray", "run.workers=2")
    assert spread["filter"].dataset_hash == alone["filter"].dataset_hash
    listening = [
        item.laddr.ip.removeprefix("::ffff:")
        for process in psutil.Process().children(recursive=True)
        for item in process.net_connections("tcp")
        if item.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert set(listening) == {"127.0.0.1"}


def test_ten_killed_asking_actors_lose_and_repeat_nothing(recipe: Path, tmp_path: Path) -> None:
    alone = drive(recipe)
    over = threading.Event()
    killed: list[int] = []

    def kill() -> None:
        while not over.wait(0.7) and len(killed) < 10:
            for process in psutil.Process().children(recursive=True):
                if "AskingActor" in " ".join(process.cmdline() or [process.name()]):
                    killed.append(process.pid)
                    process.kill()
                    break

    with FakeTeacher(delay_s=1.0) as slow:
        thread = threading.Thread(target=kill)
        thread.start()
        try:
            settings = [
                f"store={tmp_path}/ray",
                "run.workers=2",
                "teacher.concurrency=2",
                f"teacher.endpoints=['{slow.url}']",
            ]
            spread = drive(recipe, *settings)
        finally:
            over.set()
            thread.join()
    assert killed
    assert spread["filter"].dataset_hash == alone["filter"].dataset_hash
    assert spread["generate"].totals["documents"] == alone["generate"].totals["documents"]


@pytest.fixture
def head(tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A head with its job server, started and ended by pid."""
    import ray

    ray.shutdown()  # the Ray of the tests above holds the port that the head's job agent wants
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        dashboard = probe.getsockname()[1]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = Path(sys.executable).parent
    environment = {**os.environ, **loopback_environment(), "PATH": f"{home}{os.pathsep}{os.environ['PATH']}"}
    command = [str(home / "ray"), "start", "--head", "--block", f"--port={port}", f"--dashboard-port={dashboard}",
               "--dashboard-host=127.0.0.1", "--num-cpus=2", "--disable-usage-stats"]  # fmt: skip
    with (tmp_path / "head.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    address = f"http://127.0.0.1:{dashboard}"
    try:
        for _ in range(240):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", dashboard)) == 0:
                    break
            time.sleep(0.5)
        yield address, environment
    finally:
        members = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        _, alive = psutil.wait_procs([psutil.Process(process.pid), *members], timeout=15)
        for member in alive:
            member.kill()


def test_a_run_is_submitted_as_a_job_with_logs_and_its_result(
    recipe: Path, tmp_path: Path, head: tuple[str, dict[str, str]]
) -> None:
    address, environment = head

    def hornbook(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ray_jobs.cli.main", *words]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    done = hornbook("cluster", "submit", str(recipe), "--address", address, "--set", f"store={tmp_path}/job",
                    "--set", "run.workers=null")  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    job = done.stdout.split()[0]
    assert "kept" in hornbook("cluster", "logs", job, "--address", address).stdout
    assert "SUCCEEDED" in hornbook("cluster", "stop", job, "--address", address).stdout
    assert (tmp_path / "job" / "small@1" / "blend" / "manifest.json").is_file()
