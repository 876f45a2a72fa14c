"""One `map` for every pass: on Ray with a bounded window, or in this process, same code and same order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Protocol, TypeVar

from corpus.errors import StateError
from ray_jobs.cluster import connect, on_a_cluster, worker_code_hash
from ray_jobs.code import code_hash
from ray_jobs.recipe import RunConfig

Item = TypeVar("Item")
Result = TypeVar("Result")
Watch = Callable[[], None]
POLL_S = 0.5


class Passes(Protocol):
    """Runs a function over items and yields results in the order of the items."""

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], watch: Watch | None = None
    ) -> Iterator[Result]:
        """At most a window of items is in work or waiting, so memory is bounded however many there are.

        `watch` is called every half second while items are in work: for passes that take minutes an item.
        """
        ...


class InProcess:
    """No Ray: for `--set run.workers=0`, tests and debugging."""

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], watch: Watch | None = None
    ) -> Iterator[Result]:
        """Plain `map`; with `watch`, the work is done in a thread beside this one."""
        if watch is None:
            yield from map(function, items)
            return
        with ThreadPoolExecutor(1) as worker:
            for item in items:
                future = worker.submit(function, item)
                while not future.done():
                    wait((future,), POLL_S)
                    watch()
                yield future.result()


class OnRay:
    """Ray tasks. A dead worker costs a retry, not the pass (Ray retries a task three times by itself)."""

    def __init__(self, config: RunConfig) -> None:
        self._config, self._ray = config, connect(config)
        self._window = max(2, 2 * int(self._ray.cluster_resources().get("CPU", 1)))
        self._check_code()

    def rest(self) -> None:
        """End a Ray of this machine until the next pass: its ten processes wake some 600 times a second, and a teacher
        on the same cores was 7 % slower for it (measured: `python -m bench.peers.served`)."""
        if not on_a_cluster(self._config):
            self._ray.shutdown()

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], watch: Watch | None = None
    ) -> Iterator[Result]:
        """Submits ahead by the window, yields in order. A Ray that rests is started again."""
        connect(self._config)
        remote = self._ray.remote(_apply).options(num_cpus=1)
        shared = self._ray.put(function)  # sent once: a partial one may hold a tokenizer or a table
        waiting: deque[Any] = deque()
        for item in items:
            if len(waiting) >= self._window:
                yield self._result(waiting.popleft(), watch)
            waiting.append(remote.remote(shared, item))
        while waiting:
            yield self._result(waiting.popleft(), watch)

    def _result(self, reference: Any, watch: Watch | None) -> Any:
        while watch and not self._ray.wait([reference], timeout=POLL_S)[0]:
            watch()
        return self._ray.get(reference)

    def _check_code(self) -> None:
        seen = self._ray.get(self._ray.remote(worker_code_hash).options(num_cpus=0).remote())
        if seen != code_hash():
            raise StateError(
                f"a Ray worker runs other code ({seen[:8]}) than this process ({code_hash()[:8]})",
                hint="submit with --working-dir, or install the same version on every node",
            )


def _apply(function: Callable[[Item], Result], item: Item) -> Result:
    """Run on a worker. The function is an argument, so a partial one will do (`ray.remote` takes plain ones only)."""
    return function(item)


def passes_for(config: RunConfig) -> Passes:
    """Ray unless the recipe says `run.workers: 0`."""
    return InProcess() if config.workers == 0 and not config.address else OnRay(config)
