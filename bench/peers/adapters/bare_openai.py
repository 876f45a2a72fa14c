"""The loop that one would write by hand: the `openai` client on its aiohttp transport, `gather` under a semaphore."""

from __future__ import annotations

import asyncio
import sys

import openai
from job import Job


async def run(job: Job) -> None:
    """All rows, held in memory and written at the end."""
    window = asyncio.Semaphore(job.window)
    async with openai.AsyncOpenAI(
        base_url=job.url, api_key="none", http_client=openai.DefaultAioHttpClient()
    ) as client:

        async def one(row: dict[str, str]) -> tuple[str, str]:
            async with window:
                reply = await client.chat.completions.create(**job.body(row["prompt"]))
                return row["id"], reply.choices[0].message.content or ""

        job.write(await asyncio.gather(*(one(row) for row in job.rows)))


if __name__ == "__main__":
    asyncio.run(run(Job.read(sys.argv[1])))
