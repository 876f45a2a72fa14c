"""The real vLLM server is killed three times while it writes: every slot ends filled or short by its own text's fault."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from generator.process_session import members
from generator.server import VllmServer
from ray_jobs.drive import run
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.crash.figures import record
from tests.fakes.real_teacher import RealTeacher
from tests.fakes.slots import filled
from tests.fakes.turnstile import Turnstile

pytestmark = [pytest.mark.teacher, pytest.mark.ray, pytest.mark.soak, pytest.mark.timeout(1500)]
KILLS, DOCUMENTS, WINDOW = 3, 48, 8
SPREAD_S = 4.0  # a kill falls at a random moment this long after the server took its first request


@pytest.fixture(scope="module", autouse=True)
def _ray_ends_with_the_tests() -> Iterator[None]:
    yield
    import ray

    ray.shutdown()


class Warden(threading.Thread):
    """Kills the engine, then the API server, then all of it; and after each serves again, as the driver's desk does."""

    def __init__(self, server: VllmServer, gate: Turnstile, draw: random.Random) -> None:
        super().__init__(daemon=True)
        self._server, self._gate, self._draw = server, gate, draw
        self.over, self.killed = threading.Event(), 0

    def run(self) -> None:
        """Until `over`."""
        while not self.over.is_set():
            if self.killed < KILLS:
                before = self._gate.total
                while self._gate.total == before and not self.over.wait(0.05):
                    pass
                self.over.wait(self._draw.uniform(0, SPREAD_S))
                if not self.over.is_set():
                    self._kill(self.killed)
            while self._server.alive() and not self.over.wait(0.2):
                pass
            if not self.over.is_set():
                self._server.restart()

    def _kill(self, number: int) -> None:
        leader = self._server.pid
        assert leader is not None
        engines = [pid for pid in members(leader) if "EngineCore" in " ".join(psutil.Process(pid).cmdline())]
        assert engines, "no engine process found"
        for pid in (engines, [leader], sorted(members(leader)))[number % 3]:
            os.kill(pid, signal.SIGKILL)
        self.killed += 1


def test_a_vllm_server_killed_three_times_costs_no_slot(
    real_teacher: RealTeacher, tmp_path: Path, tokenizer: Path
) -> None:
    seed = int(os.environ.get("HORNBOOK_SEED", "1"))
    path = tmp_path / "recipe.yaml"
    with Turnstile(real_teacher.url) as gate:
        path.write_text(
            f"""\
name: kills
seed: 5
store: {tmp_path}/runs
teacher: {{model: {real_teacher.model}, tokenizer: {tokenizer}, concurrency: {WINDOW}, endpoints: ["{gate.url}"], stall_s: 120}}
generate: {{documents: {DOCUMENTS}, attempts: 1, max_tokens: 96, min_words: 5, truncated: trim}}
run: {{workers: 2}}
""",
            "utf-8",
        )
        warden = Warden(real_teacher.server, gate, random.Random(seed))
        warden.start()
        try:
            manifest = run(resolve(str(path), (), {}).recipe, until="generate", talk=Talk(quiet=True)).manifests[
                "generate"
            ]
        finally:
            warden.over.set()
            warden.join()
        sent, asked, answers = gate.total, dict(gate.asked), dict(gate.answered)
    print(f"seed {seed}: {sent} requests, answers by status {answers}")
    found = filled(tmp_path / "runs/kills@1/generate")
    attempts, bound = manifest.totals["attempts"], manifest.totals["attempts"] + KILLS * WINDOW
    lost = DOCUMENTS - len(found.kept) - len(found.refused)
    repeated = sum(times - 1 for times in found.slots.values())
    record("the vLLM server (engine, API server, both)", kills=warden.killed, items=DOCUMENTS, lost=lost,
           repeated=repeated, requests=sent, bound=bound)  # fmt: skip
    assert warden.killed == KILLS, f"seed {seed}"
    assert (lost, repeated) == (0, 0)
    assert len(asked) == attempts == DOCUMENTS
    assert not {"connection", "server_error", "stalled", "timeout", "malformed"} & {
        reason for _, reason in found.refused
    }
    assert sent <= bound, f"seed {seed}: {sent} requests for {attempts} attempts and {KILLS} kills"
    assert real_teacher.server.works()
