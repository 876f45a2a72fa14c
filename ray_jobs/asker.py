"""The Ray actor that asks all endpoints: an event loop over one window, all state in the store.

A lost actor costs what was in flight.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from corpus.errors import SetupError
from corpus.journal import JournalWriter
from corpus.store import open_store
from corpus.tokens import TokenCounter
from generator.ask import Asker
from generator.context import Context
from generator.endpoint import EndpointState
from generator.pool import Pool
from generator.reply import Outcome
from generator.request import Request
from generator.teacher_config import TeacherConfig
from generator.teachers.openai_endpoint import open_teacher


@dataclass(frozen=True)
class Answered:
    """What a batch came to. `hungry`: when it was back, the window had room that no other batch filled."""

    outcomes: list[Outcome]
    hungry: bool


class AskingActor:
    """Created by Ray, or in this process when there is no Ray; the same code."""

    def __init__(self, config: TeacherConfig, urls: Sequence[str], served_name: str, journal: str, window: int) -> None:
        self._counter: TokenCounter | None = None
        self._known = asyncio.Lock()
        teachers = [open_teacher(config, url, served_name) for url in urls]
        stall_s = config.timeout_s if config.stream else config.stall_s  # a stream watches its tokens by itself
        self._pool = Pool(teachers, most=window, stall_s=stall_s)
        self._journal = JournalWriter(open_store(journal), f"w{uuid.uuid4().hex[:12]}")
        self._asker = Asker(self._pool, self._journal, window=window, retries=config.retries)

    async def measure_with(self, counter: TokenCounter) -> None:
        """Prompts that the endpoints have no room for are told as overlong and not sent.

        Not an argument of the constructor: megabytes there stand in Ray's object store, and an actor whose arguments
        are gone cannot be started again. One that was started again leaves the refusing to the endpoint.
        """
        self._counter = counter

    async def ask(self, requests: Sequence[Request]) -> Answered:
        """Durable outcomes of a batch. Batches overlap: the window is shared, so no batch waits for its slowest."""
        if self._counter:
            await self._learn()
        outcomes = await asyncio.gather(*(self._asker.one(request) for request in requests))
        return Answered([outcome for outcome in outcomes if outcome is not None], self._asker.hungry)

    async def _learn(self) -> None:
        """How much the endpoints read, asked once; where they do not say, they will say so themselves."""
        async with self._known:
            counter, self._counter = self._counter, None
            if counter:
                with suppress(SetupError):
                    if tokens := (await self._pool.probe()).max_tokens:
                        self._asker.overlong = Context(tokens, counter).overlong

    async def drain(self) -> None:
        """Send nothing more; what is in flight is finished and committed by the calls that wait for it."""
        self._asker.stop()

    async def endpoints(self) -> list[EndpointState]:
        """How each endpoint stands, as this actor sees it."""
        return self._pool.states()

    async def close(self) -> None:
        """Seal the journal and give connections back."""
        await asyncio.to_thread(self._journal.close)
        await self._pool.close()
