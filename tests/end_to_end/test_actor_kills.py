"""Ten SIGKILLs of the actors that ask, through Ray: the dataset is that of one undisturbed process, text by text."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import psutil
import pytest

from corpus.errors import IncompleteError
from ray_jobs.drive import run
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.crash.figures import record
from tests.end_to_end.test_driver_kills import HANDED_OUT, write_recipe
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.slots import difference, filled
from tests.fakes.turnstile import Turnstile

pytestmark = [pytest.mark.ray, pytest.mark.timeout(280)]
KILLS, DOCUMENTS = 10, 200
REPLY_S, SPREAD_S = 0.5, 0.4


@pytest.fixture(scope="module", autouse=True)
def _ray_ends_with_the_tests() -> Iterator[None]:
    yield
    import ray

    ray.shutdown()


class Killer(threading.Thread):
    """Kills the actor that has lived longest, so that both die equally often, at random moments while requests run."""

    def __init__(self, gate: Turnstile, kills: int, draw: random.Random) -> None:
        super().__init__(daemon=True)
        self._gate, self._kills, self._draw = gate, kills, draw
        self.over, self.killed = threading.Event(), 0

    def run(self) -> None:
        """Until the last kill, or `over`."""
        while self.killed < self._kills and not self.over.is_set():
            before = self._gate.total
            while self._gate.total == before and not self.over.wait(0.01):
                pass
            self.over.wait(self._draw.uniform(0, SPREAD_S))
            actors = sorted(_actors(), key=lambda process: process.create_time())
            if actors and not self.over.is_set():
                actors[0].kill()
                self.killed += 1
                _gone(actors[0])


def _actors() -> list[psutil.Process]:
    return [item for item in psutil.Process().children(recursive=True) if "AskingActor" in _title(item)]


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def _gone(process: psutil.Process) -> None:
    end = time.monotonic() + 10
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_ten_killed_asking_actors_lose_and_repeat_nothing(tmp_path: Path, tokenizer: Path) -> None:
    seed = int(os.environ.get("HORNBOOK_SEED", "1"))
    recipe = write_recipe(tmp_path, tokenizer, DOCUMENTS)

    def drive(store: str, url: str, *settings: str) -> dict:
        given = [f"store={tmp_path}/{store}", f"teacher.endpoints=['{url}']", *settings]
        return run(resolve(str(recipe), given, {}).recipe, until="generate", talk=Talk(quiet=True)).manifests

    with FakeTeacher() as quick:
        drive("whole", quick.url)
    with FakeTeacher(delay_s=REPLY_S) as slow, Turnstile(slow.url) as gate:
        killer = Killer(gate, KILLS, random.Random(seed))
        killer.start()
        try:
            manifest = drive("killed", gate.url, "run.workers=2", "run.askers=2")["generate"]
        finally:
            killer.over.set()
            killer.join()
        sent, asked = gate.total, len(gate.asked)
    stage = Path("kills@1") / "generate"
    whole, found = filled(tmp_path / "whole" / stage), filled(tmp_path / "killed" / stage)
    attempts = manifest.totals["attempts"]
    # Ray gives every batch that the dead actor had and had not answered whole to its next life, so a reply that is in
    # the journal may be asked for again when the rest of its batch was lost: never more than was handed out.
    bound = attempts + HANDED_OUT * KILLS
    lost, repeated = difference(whole, found)
    record("a Ray actor that asks", kills=killer.killed, items=manifest.totals["slots"], lost=lost, repeated=repeated,
           requests=sent, bound=bound)  # fmt: skip
    assert killer.killed == KILLS, f"seed {seed}: the run was over after {killer.killed} kills"
    assert found == whole, f"seed {seed}"
    assert (lost, repeated) == (0, 0)
    assert asked == attempts > DOCUMENTS
    assert sent <= bound, f"seed {seed}: {sent} requests for {attempts} attempts and {KILLS} kills"


def test_an_actor_that_dies_for_good_ends_the_run_as_incomplete(recipe: Path, tmp_path: Path) -> None:
    """Its class cannot even be made: Ray gives up, and the run says that the same command goes on."""
    found = resolve(str(recipe), [f"store={tmp_path}/dead", "run.workers=2", "run.askers=2"], {}).recipe
    with patch("ray_jobs.crew.AskingActor", Stillborn), pytest.raises(IncompleteError, match="asking actor died"):
        run(found, talk=Talk(quiet=True))


class Stillborn:
    """Dies as it is made."""

    def __init__(self, *_: object) -> None:
        raise RuntimeError("no")

    async def measure_with(self, counter: object) -> None: ...

    async def ask(self, requests: object) -> None: ...

    async def close(self) -> None: ...
