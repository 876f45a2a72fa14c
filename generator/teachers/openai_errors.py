"""Errors of the `openai` client as ours, told apart by class and status alone, never by a message.

What speaks of the machinery (no connection, 5xx, 429, half a body) is retryable. A 4xx speaks of the request and is
not; 401, 403, 404 and a redirect speak of the set-up and end the run: they would refuse every other request too.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import httpx2
import openai

from corpus.errors import HornbookError, SetupError
from generator.reply import TeacherError

PAUSE_CAP_S = 60.0  # the longest pause that a server may ask for
TRANSIENT = (408, 409, 425)
REFUSES_ALL = (401, 403, 404)


def typed(error: Exception, key: str) -> HornbookError:
    """`TeacherError` or `SetupError` for what the client raised; `key` never shows in it."""
    if isinstance(error, openai.APIStatusError):
        return _by_status(error, key)
    if isinstance(error, (openai.APIConnectionError, httpx2.HTTPError)):
        if _timed_out(error):
            return TeacherError("timeout", "no reply within the time limit", retryable=True)
        return TeacherError("connection", type(_root(error)).__name__, retryable=True)
    return TeacherError("server_error", f"{type(error).__name__} in mid-stream", retryable=True)


def _by_status(error: openai.APIStatusError, key: str) -> HornbookError:
    status, message = error.status_code, _message(error, key)
    if status == 429:
        pause = retry_after(error.response.headers.get("retry-after"))
        return TeacherError("rate_limited", f"429: {message}", retryable=True, retry_after_s=pause)
    if status >= 500 or status in TRANSIENT:
        return TeacherError("server_error", f"{status}: {message}", retryable=True)
    if status in REFUSES_ALL:
        return SetupError(
            f"the endpoint answers {status}: {message}", hint="check teacher.api_key_env and teacher.model"
        )
    if status < 400:
        return SetupError(f"the endpoint redirects ({status})", hint="set teacher.endpoints to where it leads")
    overlong = isinstance(error.body, dict) and error.body.get("param") in ("input_tokens", "max_tokens")
    return TeacherError("overlong" if overlong else "refused_by_server", f"{status}: {message}", retryable=False)


def _message(error: openai.APIStatusError, key: str) -> str:
    """The server's words, with the key taken out: some servers echo it."""
    text = str(error.body.get("message", "")) if isinstance(error.body, dict) else ""
    return text.replace(key, "[key]") if key else text


def _timed_out(error: BaseException) -> bool:
    """Whether a timer of ours ran out. The transport gives a dropped connection the same class: its cause tells."""
    return isinstance(error, openai.APITimeoutError | httpx2.TimeoutException) and isinstance(
        _root(error), TimeoutError
    )


def _root(error: BaseException) -> BaseException:
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return error


def retry_after(value: str | None) -> float | None:
    """Seconds to wait by a Retry-After header, a number or a date, at most `PAUSE_CAP_S`; None when it says nothing."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return min(PAUSE_CAP_S, max(0.0, seconds))
