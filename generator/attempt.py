"""One attempt at a slot: its play is carried on reply by reply until there is a document or a reason against one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from corpus.document import Document, Rejection
from generator.config import GenerateConfig
from generator.operators.play import WRITE, Answer, Ask, Draft, Dropped, Play
from generator.parse import Spoken, attempt_id, cleaned, document_of, rejected, reply_fault, wording_fault
from generator.plan import Slot
from generator.reply import Failure, Outcome, Reply
from generator.request import Request

Label = tuple[str, int, int, int]
"""What a wave's file says of a turn: slot, attempt, step and part."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One request to be made: a step of a slot's attempt, or the continuation of a reply that was cut off at its limit."""

    slot: Slot
    attempt: int
    step: int = 0  # counts the requests of the attempt in the order in which its play asks
    ask: Ask = WRITE
    so_far: Reply | None = None  # all parts of the reply joined
    part: int = 0

    @property
    def label(self) -> Label:
        """What a wave's file says of it."""
        return self.slot.id, self.attempt, self.step, self.part


Next = list[Turn] | Document | Rejection
"""What follows in an attempt: turns to ask (none while others of the round are out), or its end."""
Cast = Callable[[Slot, int], Play]
"""The play of an attempt at a slot."""


def written(slot: Slot, attempt: int) -> Play:
    """The play of a form without operators: its one reply is the draft."""
    (answer,) = yield [WRITE]
    return Draft(answer.text)


class Attempt:
    """Holds the answers of a round until all are there. The same replies lead to the same end, in any order."""

    def __init__(self, slot: Slot, number: int, play: Play, config: GenerateConfig) -> None:
        self.slot, self.number = slot, number
        self._play, self._config = play, config
        self._round: dict[int, Answer | Rejection | None] = {}  # by step; None while it is not there
        self._spoken: dict[int, list[Spoken]] = {}  # by step, its parts in order
        self._notes: dict[int, list[str]] = {}  # by step, what was done to its text

    def begin(self) -> Next:
        """The first turns; a rejection where the play sees at once that it leads nowhere."""
        return self._on(None)

    def take(self, turn: Turn, request: Request, outcome: Outcome) -> Next:
        """One outcome of a turn that was handed out."""
        reply = turn.so_far  # what was written so far is judged as it is where the rest is refused
        if isinstance(outcome, Reply):
            self._spoken.setdefault(turn.step, []).append(Spoken(request, outcome))
            reply = joined(turn.so_far, outcome)
            if self._goes_on(turn, reply):
                return [replace(turn, so_far=reply, part=turn.part + 1)]
        self._round[turn.step] = self._answer(turn, request, reply) if reply else _refused(request, outcome)
        return self._round_over() if None not in self._round.values() else []

    def _round_over(self) -> Next:
        """The first fault of the round, or the play's next round."""
        faults = [item for item in self._round.values() if isinstance(item, Rejection)]
        return faults[0] if faults else self._on([item for item in self._round.values() if isinstance(item, Answer)])

    def _on(self, answers: Sequence[Answer] | None) -> Next:
        try:
            asks = next(self._play) if answers is None else self._play.send(answers)
        except StopIteration as end:
            return self._document(end.value)
        except Dropped as dropped:
            return self._reject(dropped.reason, dropped.detail)
        first = max(self._round, default=-1) + 1
        turns = [Turn(self.slot, self.number, step, ask) for step, ask in enumerate(asks, first)]
        self._round = dict.fromkeys((turn.step for turn in turns), None)
        return turns

    def _answer(self, turn: Turn, request: Request, reply: Reply) -> Answer | Rejection:
        """The reply as the play gets it: a text is cleaned, JSON stays as it is."""
        where = f"{turn.ask.step}: " if turn.ask.step else ""
        if turn.ask.schema:
            fault = reply_fault(reply)
            return self._reject(fault[0], where + fault[1]) if fault else Answer(reply.text, reply.finish_reason)
        text, notes = cleaned(reply, self._config)
        if fault := wording_fault(text, Spoken(request, reply), self._config, self.slot.cell.language):
            return self._reject(fault[0], where + fault[1])
        self._notes[turn.step] = [*([f"continue:{turn.part}"] if turn.part else []), *notes]
        return Answer(text, reply.finish_reason)

    def _goes_on(self, turn: Turn, reply: Reply) -> bool:
        wanted = self._config.truncated == "continue" and reply.finish_reason == "length" and not turn.ask.schema
        return wanted and turn.part < self._config.continuations and bool(reply.text.strip())

    def _reject(self, reason: str, detail: str) -> Rejection:
        return rejected(attempt_id(self.slot, self.number), reason, detail)

    def _document(self, draft: Draft) -> Document | Rejection:
        spoken = [part for step in sorted(self._spoken) for part in self._spoken[step]]
        notes = [note for step in sorted(self._notes) for note in self._notes[step]]
        return document_of(self.slot, self.number, draft, tuple(notes), spoken, self._config)


def _refused(request: Request, outcome: Outcome) -> Rejection:
    assert isinstance(outcome, Failure)
    return rejected(request.key, outcome.reason, outcome.detail)


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
