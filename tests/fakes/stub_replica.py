"""A replica whose server is the vLLM stub; in a module of its own so that Ray's workers can import it."""

from __future__ import annotations

import sys
from pathlib import Path

from generator.server import VllmServer
from generator.teacher_config import ServerConfig
from ray_jobs.replicas import Replica, ReplicaOrder


class StubServer(VllmServer):
    """Starts the stub in the mode that stands where the model's name stands."""

    def command(self) -> list[str]:
        """The stub's command line."""
        return [sys.executable, "-m", "tests.fakes.vllm_stub", self._model, "--port", str(self.port)]


class StubReplica(Replica):
    """A replica of the stub."""

    def made(self, folder: str, name: str, log: Path, order: ReplicaOrder) -> VllmServer:
        """A stub instead of vLLM."""
        return StubServer(folder, name, ServerConfig(startup_timeout_s=30), log, order.extra)
