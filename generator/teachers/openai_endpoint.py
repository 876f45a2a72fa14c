"""One OpenAI-compatible endpoint, through the `openai` client on its aiohttp transport.

By default a reply comes whole: measured against an instant endpoint at 64 in flight, 1.3 to 1.5 CPU-s per 1,000, where
the client's own typed replies cost 1.6 to 1.8 and a stream pays for every token. With `stall_s` it is streamed: a
stall shows after that many seconds without a token, and no gateway on the way closes a silent connection.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai
import orjson

from corpus.errors import SetupError
from generator.reply import ProbeResult, Reply, TeacherError
from generator.request import Request
from generator.teacher_config import TeacherConfig
from generator.teachers.openai_body import parse_body, reply_from
from generator.teachers.openai_errors import typed

BODY_BYTES = 8 << 20  # a longer body is not read to its end: text is data, and data has a size
CONNECT_S, PROBE_S = 10.0, 30.0
# vLLM's words for: the last message is yours and not finished, go on with it.
CONTINUE = {"continue_final_message": True, "add_generation_prompt": False}
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class OpenAITeacher:
    """Asks one endpoint. Trying again is the caller's task."""

    def __init__(
        self, url: str, *, served_model: str | None = None, api_key: str = "none", timeout_s: float = 300.0,
        stall_s: float | None = None,
    ) -> None:  # fmt: skip
        self.url, self._served, self._key, self._stall_s = url, served_model, api_key, stall_s
        transport = openai.DefaultAioHttpClient(
            timeout=openai.Timeout(timeout_s, connect=CONNECT_S),
            follow_redirects=False,  # a redirect would take the key and the prompts to another host
            trust_env=urlsplit(url).hostname not in LOOPBACK,  # no proxy lies between us and this machine
        )
        self._client = openai.AsyncOpenAI(base_url=url, api_key=api_key, max_retries=0, http_client=transport)

    async def complete(self, request: Request) -> Reply:
        """One chat completion. Raises `TeacherError`, or `SetupError` when the endpoint would refuse any request."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(request.demands.timeout_s):
                answer = await (self._streamed(request) if self._stall_s else self._whole(request))
        except TimeoutError:
            raise TeacherError("timeout", f"no reply in {request.demands.timeout_s:.0f} s", retryable=True) from None
        except (openai.APIError, httpx2.HTTPError) as error:
            raise typed(error, self._secret()) from error
        seconds = time.monotonic() - begun
        return reply_from(answer, request_key=request.key, seconds=seconds, endpoint=self.url)

    async def probe(self) -> ProbeResult:
        """Which model the endpoint serves. Raises `SetupError` when it is not there or serves another."""
        begun = time.monotonic()
        try:
            models = [item async for item in self._client.with_options(timeout=PROBE_S).models.list()]
        except (openai.APIError, httpx2.HTTPError, ValueError) as error:
            detail = str(typed(error, self._secret())) if isinstance(error, (openai.APIError, httpx2.HTTPError)) else ""
            raise SetupError(
                f"{self.url}: {detail or 'its list of models is not JSON'}", hint="is the server up?"
            ) from error
        found = self._chosen(models)
        limit = getattr(found, "max_model_len", None)
        root = getattr(found, "root", None) or found.id
        return ProbeResult(self.url, found.id, str(root), limit, time.monotonic() - begun)

    async def close(self) -> None:
        """Give connections back."""
        await self._client.close()

    def _chosen(self, models: list[Any]) -> Any:
        names = [str(getattr(item, "id", "")) for item in models]
        if not names or (self._served and self._served not in names):
            told = ", ".join(names[:10]) or "no model"
            raise SetupError(
                f"{self.url} serves {told}, not {self._served or 'any'}", hint="set teacher.model to what it serves"
            )
        return models[names.index(self._served) if self._served else 0]

    def _secret(self) -> str:
        return "" if self._key == "none" else self._key

    def _parameters(self, request: Request) -> dict[str, Any]:
        goes_on = request.messages[-1]["role"] == "assistant"
        return {
            **({"extra_body": CONTINUE} if goes_on else {}),
            **({"response_format": _format(request.schema)} if request.schema else {}),
            "model": self._served or request.model,
            "messages": list(request.messages),
            "temperature": request.sampling.temperature,
            "top_p": request.sampling.top_p,
            "seed": request.seed,
            "max_tokens": request.demands.max_tokens,
            "timeout": openai.Timeout(request.demands.timeout_s, connect=CONNECT_S),
        }

    async def _whole(self, request: Request) -> Any:
        """The body as parsed JSON, read up to `BODY_BYTES`."""
        create = self._client.chat.completions.with_streaming_response.create
        body = bytearray()
        async with create(**self._parameters(request)) as response:
            async for part in response.iter_bytes():
                body += part
                if len(body) > BODY_BYTES:
                    raise TeacherError("malformed", f"the body is longer than {BODY_BYTES:,} bytes", retryable=False)
        return parse_body(bytes(body))

    async def _streamed(self, request: Request) -> dict[str, Any]:
        """The same shape from a stream of tokens. Half a stream is no reply, whatever it held."""
        assert self._stall_s is not None
        answer = _Answer()
        try:
            async with asyncio.timeout(self._stall_s) as scope:
                stream: Any = await self._client.chat.completions.create(
                    **self._parameters(request), stream=True, stream_options={"include_usage": True}
                )
                async with stream:
                    async for chunk in stream:
                        scope.reschedule(asyncio.get_running_loop().time() + self._stall_s)
                        answer.add(chunk)
        except TimeoutError:
            raise TeacherError("stalled", f"no token for {self._stall_s:.0f} s", retryable=True) from None
        except ValueError as error:
            raise TeacherError("malformed", "an event of the stream is not JSON", retryable=True) from error
        return answer.whole()


def _format(schema: str) -> dict[str, Any]:
    """The `response_format` that holds the teacher to a schema; a name is wanted and says nothing."""
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": orjson.loads(schema), "strict": True}}


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


def open_teacher(config: TeacherConfig, url: str, served_model: str) -> OpenAITeacher:
    """The teacher at `url` as the recipe wants it. Raises `SetupError` when the key's variable is not set."""
    key = "none"
    if config.api_key_env:
        key = os.environ.get(config.api_key_env, "")
        if not key:
            raise SetupError(
                f"teacher.api_key_env names {config.api_key_env}, which is not set", hint="export it and run again"
            )
    stall_s = config.stall_s if config.stream else None
    return OpenAITeacher(url, served_model=served_model, api_key=key, timeout_s=config.timeout_s, stall_s=stall_s)
