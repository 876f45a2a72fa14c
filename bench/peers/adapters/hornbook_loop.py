"""Hornbook's asking loop alone, in one process: what an actor does, its journal on the disk included."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from hornbook_crew import requests_of
from job import Job

from corpus.journal import JournalWriter
from corpus.store import open_store
from generator.ask import ask
from generator.reply import Outcome, Reply
from generator.teachers.openai_endpoint import OpenAITeacher


async def run(job: Job) -> None:
    """Ask for all rows and write them."""
    teacher, journal = (
        OpenAITeacher(job.url, served_model=job.model),
        JournalWriter(open_store(f"{job.folder}/journal"), "w"),
    )
    outcomes: list[Outcome] = []
    await ask(requests_of(job), teacher, journal, window=job.window, retries=5, on_outcome=outcomes.append)
    await teacher.close()
    journal.close()
    job.write((item.request_key, item.text) for item in outcomes if isinstance(item, Reply))


if __name__ == "__main__":
    asyncio.run(run(Job.read(Path(sys.argv[1]))))
