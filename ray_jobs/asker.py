"""The Ray actor that asks: an event loop over one window, all state in the store. A lost actor costs what was in flight."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

from corpus.journal import JournalWriter
from corpus.store import open_store
from generator.ask import Asker
from generator.reply import Outcome
from generator.request import Request
from generator.teacher_config import TeacherConfig
from generator.teachers.openai_endpoint import open_teacher


class AskingActor:
    """Created by Ray, or in this process when there is no Ray; the same code."""

    def __init__(self, config: TeacherConfig, url: str, served_name: str, journal: str, window: int) -> None:
        self._teacher = open_teacher(config, url, served_name)
        self._journal = JournalWriter(open_store(journal), f"w{uuid.uuid4().hex[:12]}")
        self._asker = Asker(self._teacher, self._journal, window=window, retries=config.retries)

    async def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        """Durable outcomes of a batch. Batches overlap: the window is shared, so no batch waits for its slowest."""
        outcomes = await asyncio.gather(*(self._asker.one(request) for request in requests))
        return [outcome for outcome in outcomes if outcome is not None]

    async def drain(self) -> None:
        """Send nothing more; what is in flight is finished and committed by the calls that wait for it."""
        self._asker.stop()

    async def close(self) -> None:
        """Seal the journal and give connections back."""
        await asyncio.to_thread(self._journal.close)
        await self._teacher.close()
