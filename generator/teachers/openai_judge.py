"""A judge behind an OpenAI-compatible chat API: the likeliest first tokens of its answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import openai

from corpus.errors import SetupError

IN_FLIGHT = 64  # requests; an answer is one token
LIKELY = 20  # tokens, the most that OpenAI's own API gives


class EndpointJudge:
    """`name` goes into the rows; errors that pass are tried again by the client, five times."""

    def __init__(self, url: str, model: str, api_key: str = "") -> None:
        self._url, self._key, self.name = url, api_key or "none", model

    def first_tokens(self, prompts: Sequence[Sequence[Mapping[str, Any]]]) -> list[Mapping[str, float]]:
        """One result a prompt, in order. Raises `SetupError` for an endpoint that gives no log-probabilities."""
        return asyncio.run(self._all(prompts))

    async def _all(self, prompts: Sequence[Sequence[Mapping[str, Any]]]) -> list[Mapping[str, float]]:
        turn = asyncio.Semaphore(IN_FLIGHT)
        async with openai.AsyncOpenAI(base_url=self._url, api_key=self._key, max_retries=5) as client:

            async def one(prompt: Sequence[Mapping[str, Any]]) -> Mapping[str, float]:
                async with turn:
                    try:
                        reply = await client.chat.completions.create(
                            model=self.name, messages=list(prompt), max_tokens=1, temperature=0, logprobs=True, top_logprobs=LIKELY  # type: ignore[arg-type]
                        )  # fmt: skip
                    except openai.OpenAIError as error:
                        raise SetupError(f"{self._url}: {error}") from error
                return self._likely(reply)

            return list(await asyncio.gather(*(one(prompt) for prompt in prompts)))

    def _likely(self, reply: Any) -> Mapping[str, float]:
        told = reply.choices[0].logprobs
        if told is None or not told.content:
            raise SetupError(
                f"{self._url} gave no log-probabilities", hint="a judge needs `logprobs`, as vLLM has them"
            )
        return {item.token: item.logprob for item in told.content[0].top_logprobs}
