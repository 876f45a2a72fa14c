"""A crew that hands its requests in at a provider's batch API. What was handed in is never handed in again.

Three files tell of each batch, in the run's journal: its requests (before it is handed in), its id, and that its replies
are in the journal. A run that is killed takes its open batches up where they are; one whose id it did not write
down any more is found by the mark that it carries.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

import orjson

from corpus.errors import SetupError
from corpus.ids import digest
from corpus.journal import JournalWriter
from corpus.store import Store, open_store
from generator.reply import Outcome
from generator.request import Request
from generator.teacher_config import TeacherConfig
from generator.teachers.openai_batch import BatchEndpoint, BatchState
from generator.teachers.openai_endpoint import api_key
from ray_jobs.crew import POLL_S, Seen, Source

FOLDER = "batches"


@dataclass(slots=True)
class _Batch:
    """One batch: its number, the keys of its requests, its mark and id; `ready` once the outcomes are here."""

    number: int
    keys: list[str]
    mark: str
    id: str | None = None

    @property
    def name(self) -> str:
        return f"{FOLDER}/{self.number:06d}"


class BatchCrew:
    """See `Crew`. Requests wait for a whole batch, so a wave takes hours where it took minutes, and costs less."""

    def __init__(self, teacher: TeacherConfig, url: str, served_name: str, journal: str) -> None:
        self._config, self._store = teacher.batch, open_store(journal)
        self._runner = asyncio.Runner()
        self._endpoint = self._runner.run(_made(url, api_key(teacher), served_name))
        self._journal = JournalWriter(self._store, f"b{uuid.uuid4().hex[:12]}")
        batches = _batches(self._store)
        self._count = len(batches)
        self._open = [item for item in batches if not self._store.exists(f"{item.name}.done") and self._found(item)]
        self._claimed = {key for item in self._open for key in item.keys}
        self._asked: set[str] = set()  # of the claimed ones, those that the source has given out
        self._early: dict[str, Outcome] = {}  # outcomes of claimed requests that the source has not given out yet

    def ask(self, source: Source, seen: Seen, stopping: Event, watch: Callable[[], None] = lambda: None) -> None:
        """See `Crew`. After `stopping`, what is handed in stays with the provider for the next run."""
        while not stopping.is_set():
            if requests := self._drawn(source, seen):
                self._runner.run(self._hand_in(requests))
                continue
            if not self._open:
                return
            for batch, state in self._runner.run(self._ended()):
                self._take_back(batch, state, seen)
            if self._open:
                self._pause(stopping, watch)

    def close(self) -> None:
        """See `Crew`."""
        self._journal.close()
        self._runner.run(self._endpoint.close())
        self._runner.close()

    def _drawn(self, source: Source, seen: Seen) -> list[Request]:
        """The next batch's requests; those that an open batch holds wait for it."""
        drawn: list[Request] = []
        while len(drawn) < self._config.requests and (given := source.take(self._config.requests - len(drawn))):
            seen([self._early.pop(item.key) for item in given if item.key in self._early])
            self._asked |= self._claimed.intersection(item.key for item in given)
            drawn += [item for item in given if item.key not in self._claimed]
        return drawn

    async def _hand_in(self, requests: Sequence[Request]) -> None:
        keys = [item.key for item in requests]
        batch = _Batch(self._count, keys, digest("batch", self._store.url, self._count, *keys))
        self._store.commit(f"{batch.name}.json", orjson.dumps({"keys": keys, "mark": batch.mark}))
        self._count += 1
        batch.id = await self._endpoint.submit(requests, batch.mark)
        self._store.commit(f"{batch.name}.id", batch.id.encode())
        self._open.append(batch)
        self._claimed.update(keys)
        self._asked.update(keys)

    def _found(self, batch: _Batch) -> bool:
        """Whether the provider has the batch of a run before; one that was never handed in is closed."""
        batch.id = batch.id or self._runner.run(self._endpoint.find(batch.mark))
        if batch.id is None:
            self._store.commit(f"{batch.name}.done", b"never handed in")
        return batch.id is not None

    async def _ended(self) -> list[tuple[_Batch, BatchState]]:
        states = [(batch, await self._endpoint.state(batch.id)) for batch in self._open if batch.id]
        return [(batch, state) for batch, state in states if state.ended]

    def _take_back(self, batch: _Batch, state: BatchState, seen: Seen) -> None:
        """Journal what came back, then say that it is there; a crash in between reads the same files again."""
        self._open.remove(batch)
        self._claimed.difference_update(batch.keys)
        outcomes = self._runner.run(self._endpoint.outcomes(state, batch.keys))
        for outcome in outcomes:
            self._journal.append(outcome.to_record())
        self._journal.sync()
        self._store.commit(f"{batch.name}.done", state.status.encode())
        if state.status == "failed" and not state.files:
            raise SetupError(f"the provider refuses the batch {state.id}: {state.fault}", hint="see teacher.batch")
        self._early |= {item.request_key: item for item in outcomes if item.request_key not in self._asked}
        seen([item for item in outcomes if item.request_key in self._asked])
        self._asked.difference_update(batch.keys)

    def _pause(self, stopping: Event, watch: Callable[[], None]) -> None:
        end = time.monotonic() + self._config.poll_s
        while not stopping.is_set() and (left := end - time.monotonic()) > 0:
            stopping.wait(min(POLL_S, left))
            watch()


def _batches(store: Store) -> list[_Batch]:
    """All batches of the runs before, in order."""
    found = []
    for name in sorted(store.names(f"{FOLDER}/")):
        if name.endswith(".json"):
            told = orjson.loads(store.read(name))
            batch = _Batch(int(name.rsplit("/", 1)[1].removesuffix(".json")), told["keys"], told["mark"])
            known = f"{batch.name}.id"
            batch.id = store.read(known).decode() if store.exists(known) else None
            found.append(batch)
    return found


async def _made(url: str, key: str, served_name: str) -> BatchEndpoint:
    """Created inside the loop that it will use."""
    return BatchEndpoint(url, key, served_name)
