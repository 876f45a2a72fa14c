"""What an HTTP status of an endpoint means for a request, told by status alone, never by a message.

What speaks of the machinery (5xx, 429) is retryable. A 4xx speaks of the request and is not; 401, 403, 404 and a
redirect speak of the set-up and end the run: they would refuse every other request too.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any

from corpus.errors import HornbookError, SetupError
from generator.reply import TeacherError

PAUSE_CAP_S = 60.0  # the longest pause that a server may ask for
TRANSIENT = (408, 409, 425)
REFUSES_ALL = (401, 403, 404)


def by_status(status: int, body: Any, asked_pause: str | None, key: str) -> HornbookError:
    """The error of an answer with this status; `asked_pause` is its Retry-After header, `key` never shows in it."""
    inner = body.get("error", body) if isinstance(body, dict) else None
    told: dict[str, Any] = inner if isinstance(inner, dict) else {}
    message = _message(told, key)
    if status == 429:
        return TeacherError("rate_limited", f"429: {message}", retryable=True, retry_after_s=retry_after(asked_pause))
    if status >= 500 or status in TRANSIENT:
        pause = (retry_after(asked_pause) or 0.0) if status == 503 else None  # not None: it has too much to do
        return TeacherError("server_error", f"{status}: {message}", retryable=True, retry_after_s=pause)
    if status in REFUSES_ALL:
        return SetupError(
            f"the endpoint answers {status}: {message}", hint="check teacher.api_key_env and teacher.model"
        )
    if status < 400:
        return SetupError(f"the endpoint redirects ({status})", hint="set teacher.endpoints to where it leads")
    overlong = told.get("param") in ("input_tokens", "max_tokens") or told.get("code") == "context_length_exceeded"
    return TeacherError("overlong" if overlong else "refused_by_server", f"{status}: {message}", retryable=False)


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


def _message(told: dict[str, Any], key: str) -> str:
    """The server's words, with the key taken out: some servers echo it."""
    text = str(told.get("message", ""))
    return text.replace(key, "[key]") if key else text
