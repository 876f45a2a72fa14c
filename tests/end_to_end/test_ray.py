"""The same line on a real Ray: same dataset as in one process, and killed actors cost nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ray_jobs.drive import run
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.fakes.fake_teacher import FakeTeacher

pytestmark = [pytest.mark.ray, pytest.mark.timeout(280)]


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
