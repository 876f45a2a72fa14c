"""What is known of every slot: which turns are open, what came back, and the verdict on each attempt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from corpus.document import Document, Rejection
from generator.config import GenerateConfig
from generator.parse import parse_reply
from generator.plan import Slot
from generator.reply import Failure, Outcome, Reply
from generator.request import Request

JUDGED = 256  # outcomes that are judged together: a filter costs far less a text in a batch than alone
FILLED = ""  # the reason of an attempt that filled its slot
Accept = Callable[[Sequence[Document]], Sequence[tuple[str, str]]]
"""(reason, detail) for each document, in order; an empty reason keeps it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One request to be made: a slot's attempt, or the continuation of a reply that was cut off at its limit."""

    slot: Slot
    attempt: int
    so_far: Reply | None = None  # all parts of the reply joined
    part: int = 0

    @property
    def label(self) -> tuple[str, int, int]:
        """What a wave's file says of it."""
        return self.slot.id, self.attempt, self.part


class Book:
    """Replies come in at any time and in any order; they are judged in batches, each in the plan's order."""

    def __init__(
        self, slots: Sequence[Slot], config: GenerateConfig, accept: Accept, *, as_they_come: bool = False
    ) -> None:
        """`as_they_come`: keep the order of arrival within a batch, for outcomes that were judged in this order once."""
        self._config, self._accept, self._slots = config, accept, slots
        self._as_they_come = as_they_come
        self._place = {slot.id: place for place, slot in enumerate(slots)}
        self._open = [Turn(slot, 0) for slot in slots]
        self._asked: dict[str, tuple[Turn, Request]] = {}
        self._came: list[Outcome] = []
        self.replies: dict[str, Reply] = {}
        self.documents: dict[str, Document] = {}
        self.refused: dict[str, Failure] = {}
        self.judged: list[str] = []  # request keys in the order of judgement, which is all that a replay needs to know
        self.rejections: list[Rejection] = []
        self.attempts: dict[str, list[str]] = {}
        self.spent = 0  # tokens of prompts and replies
        self.reserved = 0  # tokens that replies on their way may still cost
        self.unanswered = Counter[str]()  # by reason: the machinery failed, which costs no attempt

    def open(self) -> list[Turn]:
        """Judge what has come, and hand out every turn that may be asked now; each is handed out once."""
        self._judge()
        turns, self._open = self._open, []
        return turns

    def ask(self, turn: Turn, request: Request) -> None:
        """Take note that `request` stands for `turn`; its outcome may come."""
        self._asked[request.key] = turn, request
        self.reserved += request.demands.max_tokens

    def take_in(self, outcomes: Iterable[Outcome]) -> None:
        """Outcomes of requests that were asked. A second outcome of one request is a copy and counts nothing."""
        for outcome in outcomes:
            key = outcome.request_key
            if not self.awaits(key) or key in self.replies or key in self.refused:
                continue
            self.reserved -= self._asked[key][1].demands.max_tokens
            if isinstance(outcome, Reply):
                self.replies[key] = outcome
                self.spent += outcome.prompt_tokens + outcome.completion_tokens
            elif outcome.retryable:
                self.unanswered[outcome.reason] += 1
                continue
            else:
                self.refused[key] = outcome
            self._came.append(outcome)
        if len(self._came) >= JUDGED:
            self._judge()

    def awaits(self, request_key: str) -> bool:
        """Whether a request was asked and is not judged yet."""
        return request_key in self._asked

    def shortfall(self) -> dict[str, int]:
        """Slots that stayed empty, by the cause of their last attempt; `not asked` where none was made."""
        causes = [
            (self.attempts.get(slot.id) or ["not asked"])[-1] for slot in self._slots if slot.id not in self.documents
        ]
        return dict(Counter(causes))

    def _judge(self) -> None:
        came, self._came = self._came, []
        if not self._as_they_come:
            came.sort(key=lambda outcome: self._place[self._asked[outcome.request_key][0].slot.id])
        self.judged += [outcome.request_key for outcome in came]
        drafts = [draft for outcome in came if (draft := self._draft(outcome))]
        verdicts = self._accept([document for _, document in drafts]) if drafts else []
        for (turn, document), (reason, detail) in zip(drafts, verdicts, strict=True):
            if reason:
                self._refuse(turn, Rejection(document.id, "generate", reason, detail, document.source))
            else:
                self.documents[turn.slot.id] = document
                self.attempts.setdefault(turn.slot.id, []).append(FILLED)

    def _draft(self, outcome: Outcome) -> tuple[Turn, Document] | None:
        """A document that awaits acceptance; None when the outcome is refused or to be continued."""
        turn, request = self._asked.pop(outcome.request_key)
        if isinstance(outcome, Failure):
            if turn.so_far is None:  # else what was written so far is judged as it is
                self._refuse(turn, Rejection(request.key, "generate", outcome.reason, outcome.detail, "synthetic"))
                return None
            reply = replace(turn.so_far, request_key=request.key)
        else:
            reply = joined(turn.so_far, outcome)
            if self._goes_on(turn, reply):
                self._open.append(replace(turn, so_far=reply, part=turn.part + 1))
                return None
        verdict = parse_reply(turn.slot, request, reply, self._config)
        if isinstance(verdict, Rejection):
            self._refuse(turn, verdict)
            return None
        return turn, _continued(verdict, turn.part)

    def _goes_on(self, turn: Turn, reply: Reply) -> bool:
        wanted = self._config.truncated == "continue" and reply.finish_reason == "length"
        return wanted and turn.part < self._config.continuations and bool(reply.text.strip())

    def _refuse(self, turn: Turn, rejection: Rejection) -> None:
        self.rejections.append(rejection)
        past = self.attempts.setdefault(turn.slot.id, [])
        past.append(rejection.reason)
        if len(past) < self._config.attempts:
            self._open.append(Turn(turn.slot, len(past)))


def joined(before: Reply | None, reply: Reply) -> Reply:
    """One reply of both parts: texts and token counts together, the rest the later one's."""
    if before is None:
        return reply
    return replace(
        reply,
        text=before.text + reply.text,
        prompt_tokens=before.prompt_tokens + reply.prompt_tokens,
        completion_tokens=before.completion_tokens + reply.completion_tokens,
    )


def _continued(document: Document, parts: int) -> Document:
    if not parts or document.lineage is None:
        return document
    operators = (f"continue:{parts}", *document.lineage.operators)
    return replace(document, lineage=replace(document.lineage, operators=operators))
