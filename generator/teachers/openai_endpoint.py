"""One OpenAI-compatible endpoint.

By default a reply comes whole, over `direct`. With `stall_s` it is streamed, by `openai_stream`, which pays for
every token: a stall shows after that many seconds without one, and no gateway on the way closes a silent connection.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from corpus.errors import SetupError
from generator.reply import ProbeResult, Reply, TeacherError
from generator.request import Request
from generator.teacher_config import TeacherConfig
from generator.teachers.direct import Direct
from generator.teachers.openai_body import chat_body, reply_from
from generator.teachers.openai_logprobs import room_for_labels

PROBE_S = 30.0


class OpenAITeacher:
    """Asks one endpoint. Trying again is the caller's task."""

    def __init__(
        self, url: str, *, served_model: str | None = None, api_key: str = "none", stall_s: float | None = None
    ) -> None:
        self.url, self._served = url, served_model
        self._direct = Direct(url, api_key)
        self._stream = _stream_of(url, api_key, stall_s) if stall_s else None

    async def complete(self, request: Request) -> Reply:
        """One chat completion. Raises `TeacherError`, or `SetupError` when the endpoint would refuse any request."""
        begun, limit_s = time.monotonic(), request.demands.timeout_s
        body = chat_body(request, self._served)
        try:
            async with asyncio.timeout(limit_s):
                if self._stream:
                    answer = await self._stream.complete(body, limit_s)
                else:
                    more = room_for_labels(request.demands.max_tokens, request.demands.top_logprobs)
                    answer = await self._direct.post("/chat/completions", body, more)
        except TimeoutError:
            raise TeacherError("timeout", f"no reply in {limit_s:.0f} s", retryable=True) from None
        seconds = time.monotonic() - begun
        asked = request.demands.top_logprobs
        return reply_from(answer, request_key=request.key, seconds=seconds, endpoint=self.url, top_logprobs=asked)

    async def probe(self) -> ProbeResult:
        """Which model the endpoint serves. Raises `SetupError` when it is not there or serves another."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(PROBE_S):
                answer = await self._direct.get("/models")
        except (TeacherError, TimeoutError) as error:
            raise SetupError(f"{self.url}: {error or 'no answer'}", hint="is the server up?") from error
        found = self._chosen(answer)
        limit, name = found.get("max_model_len"), str(found["id"])
        told = limit if isinstance(limit, int) else None
        return ProbeResult(self.url, name, str(found.get("root") or name), told, time.monotonic() - begun)

    async def close(self) -> None:
        """Give connections back."""
        await self._direct.close()
        if self._stream:
            await self._stream.close()

    def _chosen(self, answer: Any) -> dict[str, Any]:
        """The model to ask, out of the endpoint's list; the first where none is named."""
        listed = answer.get("data") if isinstance(answer, dict) else None
        models = {str(item["id"]): item for item in listed or () if isinstance(item, dict) and item.get("id")}
        name = self._served or next(iter(models), "")
        if name not in models:
            told = ", ".join(list(models)[:10]) or "no model"
            raise SetupError(
                f"{self.url} serves {told}, not {self._served or 'any'}", hint="set teacher.model to what it serves"
            )
        return models[name]


def _stream_of(url: str, api_key: str, stall_s: float) -> Any:
    from generator.teachers.openai_stream import Stream  # a second of imports that whole replies do without

    return Stream(url, api_key, stall_s)


def open_teacher(config: TeacherConfig, url: str, served_model: str) -> OpenAITeacher:
    """The teacher at `url` as the recipe wants it. Raises `SetupError` when the key's variable is not set."""
    stall_s = config.stall_s if config.stream else None
    return OpenAITeacher(url, served_model=served_model, api_key=api_key(config), stall_s=stall_s)


def api_key(config: TeacherConfig) -> str:
    """The key in the variable that the recipe names, `none` where it names none. Raises `SetupError` when it is not set."""
    if not config.api_key_env:
        return "none"
    key = os.environ.get(config.api_key_env, "")
    if not key:
        raise SetupError(
            f"teacher.api_key_env names {config.api_key_env}, which is not set", hint="export it and run again"
        )
    return key
