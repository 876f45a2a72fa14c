"""The bound: workers that post JSON with aiohttp and do nothing else. No retry, no type, no record before the end."""

from __future__ import annotations

import asyncio
import sys

import aiohttp
import orjson
import uvloop
from job import Job


async def run(job: Job) -> None:
    """All rows, held in memory and written at the end."""
    left, done = iter(job.rows), []
    headers = {"content-type": "application/json"}
    connector = aiohttp.TCPConnector(limit=job.window)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def work() -> None:
            for row in left:
                data = orjson.dumps(job.body(row["prompt"]))
                async with session.post(f"{job.url}/chat/completions", data=data) as answer:
                    body = orjson.loads(await answer.read())
                    done.append((row["id"], body["choices"][0]["message"]["content"]))

        await asyncio.gather(*(work() for _ in range(job.window)))
    job.write(done)


if __name__ == "__main__":
    uvloop.run(run(Job.read(sys.argv[1])))
