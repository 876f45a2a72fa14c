"""The driver killed at half of 2,000, as the other tools were measured: nothing lost, nothing twice, counted at the teacher."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from corpus.manifest import load_manifest
from corpus.store import open_store
from ray_jobs.crew import AHEAD
from tests.crash.figures import record
from tests.end_to_end.test_reuse import write_slots
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.slots import filled

WINDOW = 64


def check(tmp_path: Path, tokenizer: Path, documents: int) -> None:
    """Kill when half is answered, start again; what was sent twice was on its way or in one unsealed segment."""
    recipe = write_slots(tmp_path, tokenizer, documents=documents)
    log = tmp_path / "driver.log"
    with FakeTeacher(delay_s=0.1) as fake:
        command = [sys.executable, "-m", "ray_jobs.cli.main", "generate", str(recipe), "--set",
                   f"teacher.endpoints=['{fake.url}']", "--set", f"teacher.concurrency={WINDOW}"]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        with log.open("ab") as out:
            first = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=out, stderr=out)
            while fake.counts()["answered"] < documents // 2:
                assert first.poll() is None, log.read_text("utf-8", "replace")[-2000:]
                time.sleep(0.005)
            first.send_signal(signal.SIGKILL)
            first.wait()
            second = subprocess.run(command, cwd=tmp_path, env=environment, stdout=out, stderr=out, timeout=200)
        assert second.returncode == 0, log.read_text("utf-8", "replace")[-2000:]
        sent = fake.counts()["requests"]
    stage = tmp_path / "runs/slots@1/generate"
    found, manifest = filled(stage), load_manifest(open_store(stage))
    assert manifest is not None
    lost, repeated = documents - len(found.slots), sum(found.slots.values()) - len(found.slots)
    # AHEAD windows are handed out, and those that are answered and wait for their fsync are the unsealed segment.
    bound = documents + int(AHEAD * WINDOW) + WINDOW
    record("the driver at half of the slots", kills=1, items=documents, lost=lost, repeated=repeated, requests=sent,
           bound=bound)  # fmt: skip
    print(f"\n{documents:,} slots, killed at half: {lost} lost, {repeated} duplicated, {sent - documents} sent again")
    assert (lost, repeated) == (0, 0)
    assert sent <= bound


@pytest.mark.timeout(200)
def test_a_driver_killed_at_half_of_300_loses_and_repeats_nothing(tmp_path: Path, tokenizer: Path) -> None:
    check(tmp_path, tokenizer, 300)


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_a_driver_killed_at_half_of_2000_loses_and_repeats_nothing(tmp_path: Path, tokenizer: Path) -> None:
    check(tmp_path, tokenizer, 2000)
