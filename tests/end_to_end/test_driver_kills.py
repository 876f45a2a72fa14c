"""SIGKILL of the driver, again and again, against one standing Ray: the dataset is the uninterrupted run's, text by
text, and the teacher is asked again only for what was handed out when the driver died."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import orjson
import pytest

from corpus.errors import StateError
from corpus.lease import LEASE
from corpus.manifest import load_manifest
from corpus.store import open_store
from ray_jobs import drive
from ray_jobs.crew import AHEAD, BATCH, DURABLE_S
from ray_jobs.drive import run
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.crash.figures import record
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.ray_head import started_head
from tests.fakes.slots import difference, filled
from tests.fakes.turnstile import Turnstile

pytestmark = [pytest.mark.ray]
ROOT = Path(__file__).parents[2]
WINDOW, REPLY_S = 8, 0.25  # requests in flight, and how long the teacher takes for one
SPREAD_S = 0.6  # a kill falls at a random moment this long after the driver's first request
PATIENCE_S = 90.0

# What a dead driver can cost. It hands out no more than AHEAD windows of requests, and what is answered while a reply is
# on its way to the disk (DURABLE_S); it takes more only for batches that are answered and durable. So at its death at most HANDED_OUT requests were sent and are not in the journal: the WINDOW
# in flight, and the rest of HANDED_OUT, which is all that can be answered and still wait for the fsync that they share
# (the unsealed segment).
HANDED_OUT = max(2, int(AHEAD * WINDOW / BATCH)) * BATCH + int(DURABLE_S * WINDOW / REPLY_S)


def write_recipe(folder: Path, tokenizer: Path, documents: int) -> Path:
    """Slots only; about one reply in four is too short, so that there are second attempts and slots that stay short."""
    path = folder / "kills.yaml"
    path.write_text(
        f"""\
name: kills
seed: 5
teacher: {{model: {FakeTeacher.model}, tokenizer: {tokenizer}, concurrency: {WINDOW}, timeout_s: 30}}
generate: {{documents: {documents}, attempts: 2, max_tokens: 400, min_words: 80}}
filters: {{quality: 0, language_confidence: 0, languages: [], profiles: {{synthetic: synthetic}}}}
run: {{workers: 0}}
""",
        "utf-8",
    )
    return path


def kill_until_done(command: list[str], environment: dict[str, str], gate: Turnstile, kills: int, draw: random.Random,
                    log: Path) -> int:  # fmt: skip
    """Start, kill while requests run, start again; after the last kill let it end. How often it was killed."""
    killed = 0
    while True:
        before = gate.total
        with log.open("ab") as out:
            process = subprocess.Popen(command, cwd=log.parent, env=environment, stdout=out, stderr=out)
        end = time.monotonic() + PATIENCE_S
        while killed < kills and process.poll() is None and gate.total == before:
            assert time.monotonic() < end, log.read_text("utf-8", "replace")[-3000:]
            time.sleep(0.01)
        if killed < kills:
            time.sleep(draw.uniform(0, SPREAD_S))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
                continue
        assert process.wait(PATIENCE_S) == 0, log.read_text("utf-8", "replace")[-3000:]
        return killed


def check(tmp_path: Path, tokenizer: Path, kills: int, documents: int) -> None:
    seed = int(os.environ.get("HORNBOOK_SEED", "1"))
    recipe = write_recipe(tmp_path, tokenizer, documents)
    with FakeTeacher() as quick:
        settings = [f"store={tmp_path}/whole", f"teacher.endpoints=['{quick.url}']"]
        run(resolve(str(recipe), settings, {}).recipe, until="generate", talk=Talk(quiet=True))
    with (
        FakeTeacher(delay_s=REPLY_S) as slow,
        Turnstile(slow.url) as gate,
        started_head(tmp_path) as head,
    ):
        command = [sys.executable, "-m", "ray_jobs.cli.main", "generate", str(recipe), "--address", head.cluster,
                   "--set", f"store={tmp_path}/killed", "--set", f"teacher.endpoints=['{gate.url}']"]  # fmt: skip
        killed = kill_until_done(command, head.environment, gate, kills, random.Random(seed), tmp_path / "driver.log")
        sent, asked = gate.total, len(gate.asked)
    stage = Path("kills@1") / "generate"
    whole, found = filled(tmp_path / "whole" / stage), filled(tmp_path / "killed" / stage)
    manifest = load_manifest(open_store(tmp_path / "killed" / stage))
    assert manifest is not None
    attempts, bound = manifest.totals["attempts"], manifest.totals["attempts"] + HANDED_OUT * killed
    lost, repeated = difference(whole, found)
    record("the driver, against a standing Ray head", kills=killed, items=manifest.totals["slots"], lost=lost,
           repeated=repeated, requests=sent, bound=bound)  # fmt: skip
    assert killed == kills, f"seed {seed}: the run was over before it had been killed often enough"
    assert found == whole, f"seed {seed}"
    assert (lost, repeated) == (0, 0)
    assert manifest.totals["slots"] == documents >= len(found.kept) > 0
    assert asked == attempts > documents, "every attempt reached the teacher, and there were second attempts"
    assert sent <= bound, f"seed {seed}: {sent} requests for {attempts} attempts and {killed} kills"


def test_a_driver_that_lost_its_lease_stops_and_says_so(
    tmp_path: Path, tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was suspended for longer than its lease, and somebody else took the run over."""
    monkeypatch.setattr(drive, "RENEW_S", 0.1)
    recipe, place = write_recipe(tmp_path, tokenizer, 200), open_store(tmp_path / "runs/kills@1")

    def take_over() -> None:
        while gate.total < WINDOW:
            time.sleep(0.01)
        other = {"holder": "elsewhere:1", "fence": 2, "until": time.time() + 30, "ttl": 30.0}
        place.replace(LEASE, orjson.dumps(other))

    with FakeTeacher(delay_s=REPLY_S) as slow, Turnstile(slow.url) as gate:
        threading.Thread(target=take_over, daemon=True).start()
        settings = [f"store={tmp_path}/runs", f"teacher.endpoints=['{gate.url}']"]
        with pytest.raises(StateError, match="another driver took this run over"):
            run(resolve(str(recipe), settings, {}).recipe, until="generate", talk=Talk(quiet=True))
        assert gate.total < 100
    assert orjson.loads(place.read(LEASE))["fence"] == 2, "the other's lease is left alone"
    assert load_manifest(place.child("generate")) is None


@pytest.mark.timeout(280)
def test_a_driver_killed_three_times_loses_and_repeats_nothing(tmp_path: Path, tokenizer: Path) -> None:
    check(tmp_path, tokenizer, 3, 60)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_driver_killed_twenty_times_loses_and_repeats_nothing(tmp_path: Path, tokenizer: Path) -> None:
    check(tmp_path, tokenizer, 20, 400)
