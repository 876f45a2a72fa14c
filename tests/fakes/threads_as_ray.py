"""The few calls of Ray that serving replicas needs, on threads of this process: seconds where a Ray takes a minute."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import SimpleNamespace
from typing import Any


class RayError(Exception):
    """What Ray's errors descend from."""


class TaskError(RayError):
    """Never raised here: a future raises what its call raised."""


class ActorError(RayError):
    """Never raised here."""


class ThreadsAsRay:
    """`ray.remote(kind).options(…).remote(…)`, `get`, `wait`, `kill` and what a cluster says of itself."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=TaskError, RayActorError=ActorError)

    def __init__(self, gpus: int = 0) -> None:
        self._threads = ThreadPoolExecutor(16)
        self._gpus = gpus
        self.asked: list[dict[str, Any]] = []
        self.killed = 0

    def nodes(self) -> list[dict[str, Any]]:
        """One machine."""
        return [{"Alive": True}]

    def cluster_resources(self) -> dict[str, float]:
        """What it has."""
        return {"CPU": 2, **({"GPU": self._gpus} if self._gpus else {})}

    def remote(self, kind: type) -> Any:
        """A class whose objects answer `method.remote(…)`."""

        def options(**asked: Any) -> Any:
            self.asked.append(asked)
            return SimpleNamespace(remote=lambda *given: _Actor(kind(*given), self._threads))

        return SimpleNamespace(options=options)

    def wait(self, references: list[Future], num_returns: int, timeout: float) -> tuple[list[Future], list[Future]]:
        """Those that are done, and the others."""
        done, rest = wait(references, timeout=timeout)
        return list(done), list(rest)

    def get(self, reference: Future) -> Any:
        """A result."""
        return reference.result()

    def kill(self, actor: Any) -> None:
        """Counts."""
        self.killed += 1


class _Actor:
    def __init__(self, held: Any, threads: ThreadPoolExecutor) -> None:
        self._held, self._threads = held, threads

    def __getattr__(self, name: str) -> Any:
        return SimpleNamespace(remote=lambda *given: self._threads.submit(getattr(self._held, name), *given))
