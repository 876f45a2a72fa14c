"""Log-probabilities of a chat completion: how they are asked for, and the arrays that come of their JSON.

vLLM names a token by its text unless asked otherwise, and two tokens may have the same text; so they are asked for by id
(`token_id:123`). Which log-probabilities it gives is the server's setting: `raw_logprobs`, before temperature and
top-p, is its default and what Hornbook's own server is started with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from corpus.errors import SetupError
from corpus.soft_labels import TokenLabels
from generator.reply import TeacherError

PREFIX = "token_id:"  # of a token's name, in vLLM's answers
ENTRY_BYTES = 200  # of JSON for one entry, at most: its name is told twice, the second time as a list of bytes


def asked_labels(top_logprobs: int) -> dict[str, Any]:
    """What a body asks for; nothing when no labels are wanted."""
    if not top_logprobs:
        return {}
    return {
        "logprobs": True, "top_logprobs": top_logprobs, "return_token_ids": True, "return_tokens_as_token_ids": True,
    }  # fmt: skip


def room_for_labels(max_tokens: int, top_logprobs: int) -> int:
    """Bytes by which the labels may lengthen a body."""
    return ENTRY_BYTES * max_tokens * (top_logprobs + 1) if top_logprobs else 0


def labels_from(choice: dict[str, Any], top_logprobs: int) -> TokenLabels:
    """The labels of a choice. Raises `TeacherError` (malformed, retryable) where there are fewer than asked for, and
    `SetupError` where tokens have no ids, which no second sending would change."""
    told = choice.get("logprobs")
    rows = told.get("content") if isinstance(told, dict) else None
    if not isinstance(rows, list) or not rows:
        raise _short("the reply holds no log-probabilities", top_logprobs)
    try:
        tops = [sorted(row["top_logprobs"], key=_value, reverse=True)[:top_logprobs] for row in rows]
        if min(map(len, tops)) < top_logprobs:
            raise _short(f"a token holds {min(map(len, tops))} log-probabilities", top_logprobs)
        flat = [entry for top in tops for entry in top]
        labels = TokenLabels(
            _ids(rows), _values(rows), _ids(flat).reshape(-1, top_logprobs), _values(flat).reshape(-1, top_logprobs),
            len(orjson.dumps(told)),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        raise TeacherError("malformed", f"log-probabilities of another form ({error!r})", retryable=True) from error
    named = choice.get("token_ids")
    if named is not None and list(named) != labels.token_ids.tolist():
        raise TeacherError("malformed", "token ids and log-probabilities are of different tokens", retryable=True)
    return labels


def _short(what: str, asked: int) -> TeacherError:
    return TeacherError("malformed", f"{what}, though {asked} were asked for", retryable=True)


def _value(entry: dict[str, Any]) -> float:
    return float(entry["logprob"])


def _values(entries: list[dict[str, Any]]) -> np.ndarray:
    return np.array([entry["logprob"] for entry in entries], np.float64).astype(np.float16)


def _ids(entries: list[dict[str, Any]]) -> np.ndarray:
    names = [entry["token"] for entry in entries]
    if not names[0].startswith(PREFIX):
        raise SetupError(
            "the endpoint names tokens by their text, and soft labels need their ids",
            hint="ask a vLLM server, or set teacher.top_logprobs to 0",
        )
    try:
        return np.array([int(name.removeprefix(PREFIX)) for name in names], np.int32)
    except (ValueError, OverflowError):
        raise TeacherError("malformed", "a token's id is no number", retryable=True) from None
