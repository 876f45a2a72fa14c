"""What comes back for a request: a reply, or a failure that says why there is none.

Both are journalled before they count. A `Reply` is the teacher's answer, whatever it is worth: judging it is `parse`'s
task. A `Failure` that is `retryable` speaks of the machinery (a dead server, a stall, a broken body) and never uses up
the slot's attempt; one that is not speaks of the request itself (too long, invalid) and does.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import pyarrow as pa

from corpus.errors import HornbookError, StateError

if TYPE_CHECKING:
    from generator.request import Request

Reason = Literal[
    "timeout", "stalled", "connection", "server_error", "malformed", "rate_limited", "overlong", "refused_by_server"
]
REASONS: tuple[Reason, ...] = get_args(Reason)
DETAIL_CHARACTERS = 500  # the same cap as `Rejection.detail`


@dataclass(frozen=True, slots=True)
class Reply:
    """One finished answer. `seconds` runs from sending to the last byte, the retries before it not counted.

    `finish_reason` is the server's word (`stop`, `length`, `content_filter`, `tool_calls`), `none` where it gave none.
    A lone surrogate in the body has become U+FFFD, because no file can hold it; all else is as it was received.
    `top_logprobs` counts the log-probabilities that came for each token; `labels` holds them as `soft_labels.pack` does,
    on their way to the journal alone: what is read back or handed on is `bare`.
    """

    request_key: str
    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    model: str
    seconds: float
    endpoint: str
    top_logprobs: int = 0
    labels: bytes | None = None

    def to_record(self) -> dict[str, Any]:
        """Plain JSON for the journal, with `kind` set to `reply`; labels in base64, and only where there are any."""
        record = {"kind": "reply", **_fields(self)}
        labels = record.pop("labels")
        if not record["top_logprobs"]:
            del record["top_logprobs"]
        return record if labels is None else {**record, "labels": base64.b64encode(labels).decode("ascii")}

    def bare(self) -> Reply:
        """The same without its labels: a run holds every reply in memory, and they are many times its text."""
        return self if self.labels is None else replace(self, labels=None)


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that got no answer after `tries` sendings; `detail` holds at most 500 characters and no key."""

    request_key: str
    reason: Reason
    detail: str
    retryable: bool
    tries: int

    def to_record(self) -> dict[str, Any]:
        """Plain JSON for the journal, with `kind` set to `failure`."""
        return {"kind": "failure", **_fields(self)}


def _fields(outcome: Reply | Failure) -> dict[str, Any]:
    """What `dataclasses.asdict` gives, without its copying."""
    return {name: getattr(outcome, name) for name in outcome.__slots__}


Outcome = Reply | Failure

OUTCOMES = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("request_key", pa.string(), nullable=False),
        ("text", pa.string()),
        ("finish_reason", pa.string()),
        ("prompt_tokens", pa.int32()),
        ("completion_tokens", pa.int32()),
        ("model", pa.string()),
        ("seconds", pa.float64()),
        ("endpoint", pa.string()),
        ("top_logprobs", pa.int32()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("retryable", pa.bool_()),
        ("tries", pa.int32()),
    ]
)
"""Columns of `replies/` partitions: the journal's outcomes, compacted; a failure has no text, a reply no reason.
Labels are not among them: those of kept documents are the side table of `corpus.soft_labels`."""


OPTIONAL = ("top_logprobs",)  # fields that a record has only where they say something
UNREAD = (*OPTIONAL, "labels")


def outcome_of(record: Mapping[str, Any]) -> Outcome | None:
    """The reply, without its labels, or the failure that a journal record holds; `None` for records of another kind.

    Raises `StateError` when the record says it is one and lacks a field.
    """
    kinds: dict[str, type[Reply] | type[Failure]] = {"reply": Reply, "failure": Failure}
    kind = kinds.get(str(record.get("kind")))
    if kind is None:
        return None
    given = {name: record[name] for name in OPTIONAL if record.get(name) is not None} if kind is Reply else {}
    try:
        return kind(**{name: record[name] for name in kind.__slots__ if name not in UNREAD}, **given)  # type: ignore[attr-defined]
    except KeyError as missing:
        raise StateError(f"a journal record of kind {record['kind']!r} has no {missing} field") from missing


def labels_in(record: Mapping[str, Any]) -> bytes | None:
    """The packed soft labels that a journal record holds; None where it holds none. Raises `StateError`."""
    told = record.get("labels")
    try:
        return None if told is None else base64.b64decode(told, validate=True)
    except (TypeError, ValueError) as error:
        raise StateError("the labels of a journal record are not base64") from error


class TeacherError(HornbookError):
    """One sending failed. `retry_after_s` is the pause that the server asked for, where it did."""

    exit_code = 5

    def __init__(
        self, reason: Reason, detail: str, *, retryable: bool, retry_after_s: float | None = None, hint: str = ""
    ) -> None:
        super().__init__(f"{reason}: {detail[:DETAIL_CHARACTERS]}", hint=hint)
        self.reason: Reason = reason
        self.detail = detail[:DETAIL_CHARACTERS]
        self.retryable = retryable
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[object, ...]:
        """Keep every field across process borders."""
        return (_rebuild, (self.reason, self.detail, self.retryable, self.retry_after_s, self.hint))


def _rebuild(reason: Reason, detail: str, retryable: bool, retry_after_s: float | None, hint: str) -> TeacherError:
    return TeacherError(reason, detail, retryable=retryable, retry_after_s=retry_after_s, hint=hint)


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What an endpoint says of itself: `model` as served, `root` the name behind it, `max_tokens` of context."""

    endpoint: str
    model: str
    root: str
    max_tokens: int | None
    seconds: float


class Teacher(Protocol):
    """Anything that answers requests. `complete` sends once: trying again is `ask`'s task, for every teacher alike."""

    async def complete(self, request: Request) -> Reply:
        """The answer to `request`. Raises `TeacherError`."""
        ...

    async def probe(self) -> ProbeResult:
        """One look at the endpoint. Raises `SetupError` when it is not there or serves another model."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...
