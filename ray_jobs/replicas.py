"""Several servers of one teacher, placed by Ray where there are GPUs (or processors), and registered for runs to find."""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from corpus.errors import SetupError
from generator.registry import Registry
from generator.server import HOST, VllmServer
from generator.teacher_config import ServerConfig
from ray_jobs.cluster import cache_folder, connect
from ray_jobs.recipe import RunConfig
from ray_jobs.serving import folder_and_name

POLL_S = 0.5
LOOK_S = 5.0  # between two looks at a replica: progress is what changed since the last
PARALLEL = (
    "--tensor-parallel-size",
    "-tp",
    "--pipeline-parallel-size",
    "-pp",
)  # vLLM's flags whose product is the group


@dataclass(frozen=True)
class ReplicaOrder:
    """What each replica serves, and how. `open_to_nodes`: on its node's address, and not on loopback alone."""

    model: str
    extra: tuple[str, ...] = ()
    api_key_env: str | None = None
    open_to_nodes: bool = False


class Replica:
    """One server, in an actor that looks after it."""

    def __init__(self, order: ReplicaOrder) -> None:
        folder, self._name = folder_and_name(order.model)
        log = cache_folder() / "logs" / f"teacher-{uuid.uuid4().hex[:8]}.log"
        self._server = self.made(folder, self._name, log, order)

    def made(self, folder: str, name: str, log: Any, order: ReplicaOrder) -> VllmServer:
        """The server of this replica."""
        host, key = _host(order), os.environ.get(order.api_key_env or "", "")
        if order.api_key_env and not key:
            raise SetupError(
                f"{order.api_key_env} is not set where the replica runs", hint="export it before ray start"
            )
        return VllmServer(folder, name, ServerConfig(), log, order.extra, host=host, api_key=key)

    def serve(self) -> tuple[str, str]:
        """Start; the model's name and the URL, once it answers."""
        self._server.start()
        return self._name, self._server.wait_ready()

    def works(self) -> bool:
        """Whether it works; one that died or hangs is started again first."""
        return not self._server.ensure_alive()

    def stop(self) -> None:
        """End the server with all its processes."""
        self._server.stop()


def serve_replicas(
    order: ReplicaOrder, count: int, stop: threading.Event, *, address: str | None = None, register: str | None = None,
    told: Callable[[str], None] = print, kind: type[Replica] = Replica,
) -> None:  # fmt: skip
    """Serve until `stop` is set; each URL is `told` once it answers. Raises `SetupError` for what keeps one from it."""
    ray = connect(RunConfig(address=address))
    registry = Registry(register) if register else None
    several = len([node for node in ray.nodes() if node["Alive"]]) > 1
    if several and not order.api_key_env:
        raise SetupError("replicas on other machines can be reached by others", hint="name a key: --api-key-env NAME")
    order = ReplicaOrder(order.model, order.extra, order.api_key_env, several)
    folder_and_name(order.model)  # what is converted once is not converted by all at once
    actor = ray.remote(kind).options(**_resources(ray, order.extra))
    replicas = [actor.remote(order) for _ in range(count)]
    try:
        _watch(ray, replicas, stop, registry, told)
    finally:
        if registry:
            registry.remove()
        _end(ray, replicas)


def _watch(
    ray: Any, replicas: Sequence[Any], stop: threading.Event, registry: Registry | None, told: Callable[[str], None]
) -> None:
    """Collect the replicas as they get ready, keep the register up to date, and have each look after its server."""
    starting = {replica.serve.remote(): replica for replica in replicas}
    serving: dict[str, Any] = {}
    looks: dict[Any, str] = {}
    name, looked = "", time.monotonic()
    while not stop.wait(POLL_S):
        for reference in _done(ray, [*starting, *looks]):
            if reference in starting:
                name, url = _result(ray, reference)
                serving[url] = starting.pop(reference)
                told(url)
            elif (url := looks.pop(reference)) and not _result(ray, reference):
                print(f"{url} was started again", file=sys.stderr)
        if registry and serving:
            registry.keep(name, list(serving))
        if time.monotonic() - looked > LOOK_S:
            looked, looking = time.monotonic(), set(looks.values())
            looks |= {replica.works.remote(): url for url, replica in serving.items() if url not in looking}


def _done(ray: Any, references: list[Any]) -> list[Any]:
    return list(ray.wait(references, num_returns=len(references), timeout=0)[0]) if references else []


def _result(ray: Any, reference: Any) -> Any:
    """What an actor's call gave. Raises `SetupError` in the actor's own words."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise (error.cause if isinstance(error.cause, SetupError) else SetupError(str(error))) from None
    except ray.exceptions.RayActorError as error:
        raise SetupError(f"a replica died: {error}", hint="its node may have gone; serve again") from None


def _end(ray: Any, replicas: Sequence[Any]) -> None:
    """Stop all servers, then their actors; a replica that is gone has its server ended by its own watch."""
    stopping = [replica.stop.remote() for replica in replicas]
    with suppress(ray.exceptions.RayError):
        ray.wait(stopping, num_returns=len(stopping), timeout=60.0)
    for replica in replicas:
        ray.kill(replica)


def _resources(ray: Any, extra: Sequence[str]) -> dict[str, Any]:
    """A GPU group for each where the cluster has GPUs, spread over the nodes; a server start must not block its stop."""
    where: dict[str, Any] = {"scheduling_strategy": "SPREAD", "max_concurrency": 4, "num_cpus": 0}
    if ray.cluster_resources().get("GPU", 0):
        where["num_gpus"] = gpu_group(extra)
    return where


def gpu_group(extra: Sequence[str]) -> int:
    """GPUs of one replica, by the flags that go to vLLM."""
    words = [part for flag in extra for part in flag.split("=", 1)]
    size = 1
    for flag, value in itertools.pairwise(words):
        if flag in PARALLEL:
            size *= int(value)
    return size


def _host(order: ReplicaOrder) -> str:
    if not order.open_to_nodes:
        return HOST
    import ray

    return str(ray.util.get_node_ip_address())
