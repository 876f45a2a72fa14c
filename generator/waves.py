"""Waves: requests in the order in which they are committed and then sent, so that the teacher never runs dry.

A wave is everything that may be asked when the one before it has been handed out: new slots, as coverage releases them,
and retries and continuations of what has come back meanwhile. So waves overlap: the next begins while the last replies
of this one are still being written. Each is committed before its first request, with the order in which outcomes were
judged until then and with what was decided on them; a restart judges in this order and asks the committed waves first.
Within a wave, piece by piece, prompts that begin alike follow each other (`send_order`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from corpus.errors import StateError
from corpus.store import Store
from generator.attempt import Label, Turn
from generator.book import Book
from generator.reply import Outcome, Reply
from generator.request import Request
from generator.send_order import PIECE, send_order
from generator.slots import slot_record

FOLDER = "waves"


class Waves:
    """A source of requests that others drain: `take` gives what may be sent now, and nothing that was answered before."""

    def __init__(
        self, book: Book, store: Store, make: Callable[[Turn], Request], stored: Mapping[str, Outcome], *,
        elsewhere: Callable[[Request], Reply | None] = lambda request: None,
        on_wave: Callable[[int, int], None] = lambda wave, turns: None,
    ) -> None:  # fmt: skip
        """`stored` is what this run has by request key, `elsewhere` finds what other runs were answered."""
        self._book, self._store, self._make, self._stored = book, store, make, stored
        self._elsewhere, self._on_wave = elsewhere, on_wave
        self._queue: deque[Turn] = deque()
        self._piece: deque[tuple[Turn, Request]] = deque()
        self._waiting: dict[Label, Turn] = {}
        self.count, self.turns, self.recalled = 0, 0, 0
        self._committed = len(store.names(f"{FOLDER}/"))
        self._written = 0  # outcomes whose order the waves so far hold
        self.capped = False  # whether the spend cap keeps the next turn from being asked

    def take(self, limit: int) -> list[Request]:
        """Up to `limit` requests to send now; empty when there is none until more replies have come."""
        requests: list[Request] = []
        while len(requests) < limit and (following := self._next()):
            turn, request = following
            outcome, paid = self._known(request)
            self.capped = outcome is None and not self._book.purse.affords(request)
            if self.capped:
                self._piece.appendleft(following)
                break
            self._book.ask(turn, request)
            if outcome is not None:
                self.recalled += 1
                self._book.take_in([outcome], paid=paid)
            else:
                requests.append(request)
        return requests

    def _known(self, request: Request) -> tuple[Outcome | None, bool]:
        """A stored outcome that serves, and whether this run paid for it."""
        outcome = self._stored.get(request.key)
        if outcome is not None and serves(outcome, request):
            return outcome, True
        return self._elsewhere(request), False

    def _next(self) -> tuple[Turn, Request] | None:
        if not self._piece:
            while not self._queue and self._begin():
                pass
            turns = [self._queue.popleft() for _ in range(min(PIECE, len(self._queue)))]
            self._piece.extend(send_order([(turn, self._make(turn)) for turn in turns], lambda item: item[1]))
        return self._piece.popleft() if self._piece else None

    def _begin(self) -> bool:
        """Queue the next wave, as it was committed where it was, else all that is open now. False when nothing is."""
        name = f"{FOLDER}/{self.count:06d}.json"
        before = orjson.loads(self._store.read(name)) if self.count < self._committed else {}
        self._book.held = bool(before)
        self._waiting |= {turn.label: turn for turn in self._book.open(before.get("judged", ()))}
        if not self._waiting and not self._book.moves:
            return False
        labels = _labels(before) if before else list(self._waiting)
        if not before:
            told = {"wave": self.count, "judged": self._book.judged[self._written :], "moves": self._book.moves,
                    "slots": [slot_record(slot) for slot in self._book.extra]}  # fmt: skip
            if not self._store.commit(name, orjson.dumps({**told, "turns": labels})):
                raise StateError(f"{self._store.url}: another driver began {name}", hint="let it finish")
        wave = [self._waiting.pop(label) for label in labels if label in self._waiting]
        self.count += 1
        self.turns += len(wave)
        self._written = len(self._book.judged)
        self._book.held = self.count < self._committed
        self._queue.extend(wave)
        self._on_wave(self.count, len(wave))
        return True


def serves(outcome: Outcome, request: Request) -> bool:
    """Whether a stored outcome answers `request`: a reply that ended by itself, or was cut at no lower limit, and that
    carries as many log-probabilities as are asked for; an empty one has nothing to carry them for."""
    if isinstance(outcome, Reply):
        asked = request.demands
        whole = outcome.finish_reason != "length" or outcome.completion_tokens >= asked.max_tokens
        return whole and (outcome.top_logprobs >= asked.top_logprobs or not outcome.text)
    return not outcome.retryable


def _labels(wave: dict[str, Any]) -> list[Label]:
    return [(slot, attempt, step, part) for slot, attempt, step, part in wave["turns"]]
