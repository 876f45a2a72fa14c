"""A real head of its own, started and ended by pid; whatever it starts carries a mark by which it is found again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from ray_jobs.cluster import loopback_environment

ROOT = Path(__file__).parents[2]
MARK = "HORNBOOK_TEST_HEAD"
OF_A_RUN = ("ray_jobs.cli.main run", "hornbook run", "AskingActor", "vllm", "VLLM")


@dataclass(frozen=True)
class Head:
    """The addresses of its dashboard and of the cluster, and the environment in which clients find token and programs."""

    address: str
    cluster: str
    environment: dict[str, str]

    def run(self, *command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """A command to its end."""
        return subprocess.run(
            command, cwd=cwd, env=self.environment, capture_output=True, text=True, check=False, timeout=270
        )

    def hornbook(self, *words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """`hornbook WORDS… --address …` to its end."""
        program = [sys.executable, "-m", "ray_jobs.cli.main", *words, "--address", self.address]
        return self.run(*program, cwd=cwd)

    def of_a_run(self) -> list[str]:
        """Processes of a driver, of asking actors and of a teacher that this head is behind."""
        found = []
        for process in psutil.process_iter():
            try:
                line = " ".join(process.cmdline()) or process.name()
                if any(word in line for word in OF_A_RUN) and process.environ().get(MARK) == self.environment[MARK]:
                    found.append(f"{process.pid} {line[:200]}")
            except psutil.Error:
                continue
        return found


@contextmanager
def started_head(folder: Path) -> Iterator[Head]:
    """A head with its job server on loopback, with a token."""
    port, dashboard = _free_port(), _free_port()
    home = Path(sys.executable).parent
    environment = {
        **os.environ, **loopback_environment(), "PATH": f"{home}{os.pathsep}{os.environ['PATH']}",
        MARK: uuid.uuid4().hex,
    }  # fmt: skip
    command = [str(home / "ray"), "start", "--head", "--block", f"--port={port}", f"--dashboard-port={dashboard}",
               "--dashboard-host=127.0.0.1", f"--dashboard-agent-listen-port={_free_port()}", "--num-cpus=2", "--disable-usage-stats"]  # fmt: skip
    with (folder / "head.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_for(dashboard)
        yield Head(f"http://127.0.0.1:{dashboard}", f"127.0.0.1:{port}", environment)
    finally:
        members = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        _, alive = psutil.wait_procs([psutil.Process(process.pid), *members], timeout=15)
        for member in alive:
            member.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(240):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    raise TimeoutError("the head did not answer")
