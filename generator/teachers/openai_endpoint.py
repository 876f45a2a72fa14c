"""One OpenAI-compatible endpoint, through the `openai` client on its aiohttp transport.

Errors are told apart by type and status alone. What speaks of the machinery is retryable; a 4xx speaks of the request.
"""

from __future__ import annotations

import json
import time
from typing import Any

import openai

from corpus.errors import SetupError
from generator.reply import ProbeResult, Reason, Reply, TeacherError
from generator.request import Request

REPLY_BYTES = 4 << 20  # a longer body is cut off: text is data, and data has a size


class OpenAITeacher:
    """Asks one endpoint. Trying again is the caller's task."""

    def __init__(self, url: str, *, served_model: str | None = None, api_key: str = "none", timeout_s: float = 300.0) -> None:
        self.url, self._served = url, served_model
        self._client = openai.AsyncOpenAI(
            base_url=url, api_key=api_key, max_retries=0, timeout=timeout_s, http_client=openai.DefaultAioHttpClient(timeout=timeout_s)
        )

    async def complete(self, request: Request) -> Reply:
        """One chat completion. Raises `TeacherError`."""
        begun = time.monotonic()
        try:
            answer: Any = await self._client.chat.completions.create(
                model=self._served or request.model,
                messages=list(request.messages),  # type: ignore[arg-type]
                temperature=request.sampling.temperature,
                top_p=request.sampling.top_p,
                seed=request.seed,
                max_tokens=request.demands.max_tokens,
                timeout=request.demands.timeout_s,
            )
        except (openai.APIError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise _typed(error) from error
        return _reply(answer, request, time.monotonic() - begun, self.url)

    async def probe(self) -> ProbeResult:
        """Which model the endpoint serves. Raises `SetupError` when it is not there or serves another."""
        begun = time.monotonic()
        try:
            models = [item async for item in self._client.models.list()]
        except openai.APIError as error:
            raise SetupError(f"{self.url}: {type(error).__name__}", hint="is the server up, and the key right?") from error
        names = [item.id for item in models]
        if not names or (self._served and self._served not in names):
            raise SetupError(f"{self.url} serves {', '.join(names) or 'nothing'}, not {self._served}", hint="set teacher.model")
        found = models[names.index(self._served) if self._served else 0]
        limit = getattr(found, "max_model_len", None)
        return ProbeResult(self.url, found.id, getattr(found, "root", None) or found.id, limit, time.monotonic() - begun)

    async def close(self) -> None:
        """Give connections back."""
        await self._client.close()


def _reply(answer: Any, request: Request, seconds: float, url: str) -> Reply:
    """The reply inside an answer of any shape; a body without one is malformed."""
    choices = getattr(answer, "choices", None)
    message = getattr(choices[0], "message", None) if choices else None
    if message is None:
        raise TeacherError("malformed", "the body holds no choice", retryable=True)
    text = getattr(message, "content", None) or ""
    if not isinstance(text, str):
        raise TeacherError("malformed", "the content is not text", retryable=True)
    usage = getattr(answer, "usage", None)
    clean = text[:REPLY_BYTES].encode("utf-8", "replace").decode("utf-8") if text.isascii() is False else text[:REPLY_BYTES]
    return Reply(
        request_key=request.key,
        text=clean,
        finish_reason=str(getattr(choices[0], "finish_reason", None) or "none"),
        prompt_tokens=int(getattr(usage, "prompt_tokens", 0) or 0),
        completion_tokens=int(getattr(usage, "completion_tokens", 0) or 0),
        model=str(getattr(answer, "model", "") or ""),
        seconds=round(seconds, 4),
        endpoint=url,
    )


def _typed(error: Exception) -> TeacherError:
    if isinstance(error, openai.APITimeoutError):
        return TeacherError("timeout", "no reply within the time limit", retryable=True)
    if isinstance(error, openai.APIConnectionError):
        return TeacherError("connection", f"{type(error.__cause__ or error).__name__}", retryable=True)
    if isinstance(error, openai.APIStatusError):
        return _by_status(error)
    reason: Reason = "malformed" if not isinstance(error, openai.APIError) or isinstance(
        error, openai.APIResponseValidationError
    ) else "server_error"
    return TeacherError(reason, f"{type(error).__name__}", retryable=True)


def _by_status(error: openai.APIStatusError) -> TeacherError:
    status = error.status_code
    if status == 429:
        return TeacherError("rate_limited", "429", retryable=True, retry_after_s=_seconds(error.response.headers.get("retry-after")))
    if status >= 500 or status in (408, 409, 425):
        return TeacherError("server_error", str(status), retryable=True)
    if status in (401, 403, 404):
        raise SetupError(f"the endpoint answers {status}: {_message(error)}", hint="check the key's variable and teacher.model") from error
    overlong = isinstance(error.body, dict) and error.body.get("param") in ("input_tokens", "max_tokens")
    return TeacherError("overlong" if overlong else "refused_by_server", f"{status}: {_message(error)}", retryable=False)


def _message(error: openai.APIStatusError) -> str:
    return str(error.body.get("message", "")) if isinstance(error.body, dict) else ""


def _seconds(text: str | None) -> float | None:
    try:
        return min(60.0, max(0.0, float(text))) if text else None
    except ValueError:
        return None  # an HTTP date: the usual pause serves
