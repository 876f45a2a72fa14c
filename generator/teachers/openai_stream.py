"""Replies token by token, by the `openai` client on its aiohttp transport: it parses events and tells errors apart."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai

from generator.reply import TeacherError
from generator.teachers.direct import BODY_BYTES, CONNECT_S, LOOPBACK
from generator.teachers.openai_errors import typed


class Stream:
    """Streams from one base URL; a stall shows after `stall_s` seconds without a token."""

    def __init__(self, url: str, api_key: str, stall_s: float) -> None:
        self._stall_s, self._secret = stall_s, "" if api_key == "none" else api_key
        transport = openai.DefaultAioHttpClient(
            follow_redirects=False,  # a redirect would take the key and the prompts to another host
            trust_env=urlsplit(url).hostname not in LOOPBACK,  # no proxy lies between us and this machine
        )
        self._client = openai.AsyncOpenAI(base_url=url, api_key=api_key, max_retries=0, http_client=transport)

    async def complete(self, body: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """A chat completion as it would have come whole. Half a stream is no reply, whatever it held."""
        try:
            return await self._streamed(dict(body), openai.Timeout(timeout_s, connect=CONNECT_S))
        except TimeoutError:
            raise TeacherError("stalled", f"no token for {self._stall_s:.0f} s", retryable=True) from None
        except ValueError as error:
            raise TeacherError("malformed", "an event of the stream is not JSON", retryable=True) from error
        except (openai.APIError, httpx2.HTTPError) as error:
            raise typed(error, self._secret) from error

    async def close(self) -> None:
        """Give connections back."""
        await self._client.close()

    async def _streamed(self, body: dict[str, Any], timeout: openai.Timeout) -> dict[str, Any]:
        answer = _Answer()
        async with asyncio.timeout(self._stall_s) as scope:
            stream: Any = await self._client.chat.completions.create(
                model=body.pop("model"), messages=list(body.pop("messages")), extra_body=body, timeout=timeout,
                stream=True, stream_options={"include_usage": True},
            )  # fmt: skip
            async with stream:
                async for chunk in stream:
                    scope.reschedule(asyncio.get_running_loop().time() + self._stall_s)
                    answer.add(chunk)
        return answer.whole()


class _Answer:
    """A chat completion put together from its stream."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._finish: Any = None
        self._usage: dict[str, Any] | None = None
        self._model: Any = None

    def add(self, chunk: Any) -> None:
        """Take one event in; events of another shape hold nothing."""
        self._model = getattr(chunk, "model", None) or self._model
        if usage := getattr(chunk, "usage", None):
            self._usage = {name: getattr(usage, name, 0) for name in ("prompt_tokens", "completion_tokens")}
        choices = getattr(chunk, "choices", None)
        if not isinstance(choices, list) or not choices:
            return
        self._finish = getattr(choices[0], "finish_reason", None) or self._finish
        text = getattr(getattr(choices[0], "delta", None), "content", None)
        if isinstance(text, str):
            self._parts.append(text)
            self._size += len(text)
        if self._size > BODY_BYTES:
            raise TeacherError("malformed", f"the stream is longer than {BODY_BYTES:,} characters", retryable=False)

    def whole(self) -> dict[str, Any]:
        """The answer. Raises `TeacherError` when the stream ended without a finish reason."""
        if self._finish is None:
            raise TeacherError("connection", "the stream ended before the reply did", retryable=True)
        message = {"role": "assistant", "content": "".join(self._parts)}
        choice = {"message": message, "finish_reason": self._finish}
        return {"choices": [choice], "usage": self._usage, "model": self._model}
