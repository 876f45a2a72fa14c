"""Errors of the `openai` client as ours, told apart by class and status alone, never by a message.

What speaks of the machinery (no connection, half a body) is retryable; a status means what `http_status` says.
"""

from __future__ import annotations

import httpx2
import openai

from corpus.errors import HornbookError
from generator.reply import TeacherError
from generator.teachers.http_status import by_status


def typed(error: Exception, key: str) -> HornbookError:
    """`TeacherError` or `SetupError` for what the client raised; `key` never shows in it."""
    if isinstance(error, openai.APIStatusError):
        return by_status(error.status_code, error.body, error.response.headers.get("retry-after"), key)
    if isinstance(error, (openai.APIConnectionError, httpx2.HTTPError)):
        if _timed_out(error):
            return TeacherError("timeout", "no reply within the time limit", retryable=True)
        return TeacherError("connection", type(_root(error)).__name__, retryable=True)
    return TeacherError("server_error", f"{type(error).__name__} in mid-stream", retryable=True)


def _timed_out(error: BaseException) -> bool:
    """Whether a timer of ours ran out. The transport gives a dropped connection the same class: its cause tells."""
    return isinstance(error, openai.APITimeoutError | httpx2.TimeoutException) and isinstance(
        _root(error), TimeoutError
    )


def _root(error: BaseException) -> BaseException:
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return error
