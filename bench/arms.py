"""The two ways to ask: Hornbook's actors on a local Ray, and the loop that one would write by hand."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import aiohttp
import openai
import orjson

from generator.reply import Outcome, Reply
from generator.request import Demands, Request, Sampling
from generator.teacher_config import TeacherConfig
from generator.teachers.openai_body import chat_body
from ray_jobs.cluster import connect
from ray_jobs.crew import RayCrew
from ray_jobs.recipe import RunConfig


def requests_of(numbers: Iterable[int], tokens: int, model: str) -> list[Request]:
    """Requests that share no prompt, so that the server's prefix cache favours nobody.

    Limits spread evenly between half of `tokens` and one and a half: of one length, all replies would end at once.
    """
    return [_request(number, tokens // 2 + number * 37 % tokens, model) for number in numbers]


def _request(number: int, tokens: int, model: str) -> Request:
    content = f"{number}. Write a long section of a textbook on rivers, with subject number {number} as its example."
    messages = ({"role": "user", "content": content},)
    return Request(
        f"key-{number}", f"slot-{number}", 0, messages, model, "main", Sampling(0.8, 0.95), abs(number),
        Demands(tokens, 300.0), "bench",
    )  # type: ignore[arg-type]  # fmt: skip


class Queue:
    """A source that is simply emptied."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._left = deque(requests)

    def take(self, limit: int) -> list[Request]:
        """The next requests."""
        return [self._left.popleft() for _ in range(min(limit, len(self._left)))]


class HornbookCrew:
    """What a run uses on a cluster: an actor, its journal, retries and all."""

    def __init__(self, config: TeacherConfig, url: str, served: str, journal: str) -> None:
        connect(RunConfig(workers=2))
        self._crew = RayCrew(config, (url,), served, journal, 1)

    def ask(self, requests: Sequence[Request]) -> int:
        """Completion tokens of all replies."""
        outcomes: list[Outcome] = []
        self._crew.ask(Queue(requests), outcomes.extend, threading.Event())
        assert len(outcomes) == len(requests)
        return sum(item.completion_tokens for item in outcomes if isinstance(item, Reply))

    def close(self) -> None:
        """End the actors."""
        self._crew.close()


class BareLoop:
    """`asyncio.gather` under a semaphore: nothing is written down, nothing is tried again."""

    def __init__(self, url: str, window: int, *, aiohttp: bool = False) -> None:
        self._url, self._window, self._aiohttp = url, window, aiohttp
        self._runner = asyncio.Runner()
        self._client = self._runner.run(self._connect())

    def ask(self, requests: Sequence[Request]) -> int:
        """Completion tokens of all replies."""
        return self._runner.run(self._all(requests))

    def close(self) -> None:
        """Give connections back."""
        self._runner.run(self._client.close())
        self._runner.close()

    async def _connect(self) -> openai.AsyncOpenAI:
        client = openai.DefaultAioHttpClient(timeout=300.0) if self._aiohttp else None
        return openai.AsyncOpenAI(base_url=self._url, api_key="none", max_retries=0, timeout=300.0, http_client=client)

    async def _all(self, requests: Sequence[Request]) -> int:
        window = asyncio.Semaphore(self._window)

        async def one(request: Request) -> int:
            async with window:
                messages: Any = list(request.messages)
                reply = await self._client.chat.completions.create(
                    model=request.model, messages=messages, temperature=request.sampling.temperature,
                    top_p=request.sampling.top_p, seed=request.seed, max_tokens=request.demands.max_tokens,
                )  # fmt: skip
                return reply.usage.completion_tokens if reply.usage else 0

        return sum(await asyncio.gather(*(one(request) for request in requests)))


class PlainLoop:
    """Worker loops on aiohttp and orjson alone."""

    def __init__(self, url: str, window: int) -> None:
        self._url, self._window = url, window

    def ask(self, requests: Sequence[Request]) -> int:
        """Completion tokens of all replies."""
        return asyncio.run(self._all(deque(requests)))

    def close(self) -> None:
        """Nothing is left open."""

    async def _all(self, left: deque[Request]) -> int:
        headers = {"authorization": "Bearer none", "content-type": "application/json"}
        tokens = 0
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as session:

            async def worker() -> None:
                nonlocal tokens
                while left:
                    body = orjson.dumps(chat_body(left.popleft()))
                    async with session.post(f"{self._url}/chat/completions", data=body) as answer:
                        tokens += orjson.loads(await answer.read())["usage"]["completion_tokens"]

            await asyncio.gather(*(worker() for _ in range(self._window)))
        return tokens
