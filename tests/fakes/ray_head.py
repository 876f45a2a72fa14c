"""One standing Ray head for a test, on loopback and with a token, started and ended by pid."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from ray_jobs.cluster import loopback_environment

PATIENCE_S = 60.0


@contextmanager
def standing_head(log: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Address of the head, and the environment that a driver needs to join it."""
    port = _free_port()
    home = Path(sys.executable).parent
    environment = {**os.environ, **loopback_environment(), "PATH": f"{home}{os.pathsep}{os.environ['PATH']}"}
    command = [str(home / "ray"), "start", "--head", "--block", f"--port={port}", "--include-dashboard=false",
               "--node-ip-address=127.0.0.1", "--num-cpus=2", "--disable-usage-stats"]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait(port, process, log)
        yield f"127.0.0.1:{port}", environment
    finally:
        members = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        process.terminate()
        _, alive = psutil.wait_procs(members, timeout=15)
        for member in alive:
            member.kill()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while b"Ray runtime started" not in log.read_bytes():
        assert process.poll() is None, log.read_text("utf-8", "replace")[-3000:]
        assert time.monotonic() < end, f"no head at {port} after {PATIENCE_S:.0f} s"
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
