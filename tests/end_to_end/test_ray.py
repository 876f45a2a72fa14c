"""The same line on a real Ray: the same dataset as in one process, and every socket on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ray_jobs.crew import LocalCrew
from ray_jobs.drive import run
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk

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
    listening = [address for process in psutil.Process().children(recursive=True) for address in listened_on(process)]
    assert listening
    assert set(listening) == {"127.0.0.1"}


def listened_on(process: psutil.Process) -> list[str]:
    """Addresses that a process listens on; none of one that has ended meanwhile."""
    try:
        found = process.net_connections("tcp")
    except psutil.NoSuchProcess:
        return []
    return [item.laddr.ip.removeprefix("::ffff:") for item in found if item.status == psutil.CONN_LISTEN]


def test_on_one_machine_this_process_asks_while_ray_rests_and_the_next_pass_wakes_it(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    seen: list[bool] = []
    ask = LocalCrew.ask

    def watched(self: LocalCrew, *given: object) -> None:
        seen.append(ray.is_initialized())
        ask(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalCrew, "ask", watched)
    rested = drive(recipe, f"store={tmp_path}/rested", "run.workers=2")
    assert seen == [False], "asked once, in this process, with no Ray beside it"
    assert ray.is_initialized(), "the filter's passes ran on Ray again"
    actors = drive(recipe, f"store={tmp_path}/actors", "run.workers=2", "run.askers=1")
    assert seen == [False], "an actor asked"
    assert rested["filter"].dataset_hash == actors["filter"].dataset_hash
