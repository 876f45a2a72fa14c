"""An attempt from its first request to its end, answered by whatever holds the outcomes: a store, or a teacher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from corpus.document import Document, Rejection
from generator.attempt import Attempt, Cast, Next, Turn
from generator.config import GenerateConfig
from generator.plan import Slot
from generator.reply import Outcome
from generator.request import Request


@dataclass(frozen=True, slots=True)
class Told:
    """One request of an attempt, and what came back; None where nothing is stored."""

    turn: Turn
    request: Request
    outcome: Outcome | None

    @property
    def step(self) -> str:
        """What the step is called: `write` for the form's own text, with its part where a reply was continued."""
        name = self.turn.ask.step or "write"
        return (
            f"{name} ({'continued' if self.turn.part else 'mended'})"
            if self.turn.part or self.turn.ask.unread
            else name
        )


def retell(
    slot: Slot, number: int, cast: Cast, make: Callable[[Turn], Request],
    answer: Callable[[Request], Outcome | None], config: GenerateConfig,
) -> tuple[list[Told], Document | Rejection | None]:  # fmt: skip
    """All steps of an attempt in the order of asking, and its end; None where an outcome is missing for it."""
    attempt, told = Attempt(slot, number, cast(slot, number), config), list[Told]()
    found: Next = attempt.begin()
    while isinstance(found, list) and found:
        turns, found = found, []
        for turn in turns:
            request = make(turn)
            told.append(Told(turn, request, answer(request)))
            if (outcome := told[-1].outcome) is not None:
                found = _both(found, attempt.take(turn, request, outcome))
    return told, None if isinstance(found, list) else found


def _both(before: Next, after: Next) -> Next:
    """What follows from two outcomes of one round: continuations of each, or the end that the last one brings."""
    return [*before, *after] if isinstance(before, list) and isinstance(after, list) else after
