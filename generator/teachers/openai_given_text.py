"""Soft labels of given text by a teacher behind vLLM's completions API."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import openai

from corpus.errors import SetupError
from corpus.soft_labels import TokenLabels
from generator.given_text import Window

IN_FLIGHT = 8  # requests; each answer is 1.4 KB of JSON a token at k = 20


class EndpointScorer:
    """A teacher behind vLLM's completions API, with `prompt_logprobs`."""

    def __init__(self, url: str, model: str, window: int, api_key: str = "") -> None:
        self._url, self._key, self.name, self.window = url, api_key or "none", model, window

    def label(self, windows: Sequence[Window], k: int) -> list[TokenLabels]:
        """See `Scorer`. Raises `SetupError` for an endpoint that gives no labels of prompts."""
        return asyncio.run(self._all(windows, k))

    async def _all(self, windows: Sequence[Window], k: int) -> list[TokenLabels]:
        turn = asyncio.Semaphore(IN_FLIGHT)
        async with openai.AsyncOpenAI(base_url=self._url, api_key=self._key, max_retries=5) as client:

            async def one(window: Window) -> TokenLabels:
                async with turn:
                    try:
                        reply = await client.completions.create(
                            model=self.name, prompt=window.ids, max_tokens=1, temperature=0, extra_body={"prompt_logprobs": k}
                        )  # fmt: skip
                    except openai.OpenAIError as error:
                        raise SetupError(f"{self._url}: {error}", hint="labels of a text need vLLM, and k within its "
                                         "--max-logprobs") from error  # fmt: skip
                return labels_in_prompt(reply.choices[0].model_dump().get("prompt_logprobs"), window, k)

            return list(await asyncio.gather(*(one(window) for window in windows)))


def labels_in_prompt(told: Any, window: Window, k: int) -> TokenLabels:
    """vLLM's answer: for each token of the prompt its k likeliest and, where it is none of them, the token itself.

    Raises `SetupError` for anything that is not that.
    """
    if not isinstance(told, list) or len(told) != len(window.ids):
        raise SetupError("the endpoint gave no log-probabilities of the prompt", hint="labels of a text need vLLM")
    own, ids, values = [], [], []
    for token, entries in zip(window.ids[window.seen :], told[window.seen :], strict=True):
        ranked = sorted(entries.items(), key=lambda item: int(item[1]["rank"]))[:k]
        if len(ranked) < k or str(token) not in entries:
            raise SetupError(f"the endpoint gave {len(ranked)} of {k} log-probabilities", hint="ask for fewer")
        own.append(entries[str(token)]["logprob"])
        ids.append([int(name) for name, _ in ranked])
        values.append([entry["logprob"] for _, entry in ranked])
    drawn = np.array(window.ids[window.seen :], np.int32)
    return TokenLabels(drawn, np.array(own, np.float16), np.array(ids, np.int32).reshape(-1, k),
                       np.array(values, np.float16).reshape(-1, k))  # fmt: skip
