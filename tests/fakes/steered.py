"""A steered run in memory: book, waves and coverage over one folder, and a teacher that is a function of the request."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from corpus.document import Document
from corpus.store import open_store
from generator.attempt import Turn
from generator.book import Book
from generator.collapse import Collapse
from generator.config import GenerateConfig
from generator.coverage import CellState, Coverage
from generator.plan import Slot, Source, lanes_of, plan_slots
from generator.reply import Outcome, Reply
from generator.request import Request, make_request
from generator.teacher_config import TeacherConfig
from generator.waves import Waves
from prompts.library import load_library
from tests.fakes.teacher_text import reply_text

LIBRARY = load_library()
DOMAINS = ("biology", "history", "physics")
Says = Callable[[Slot, Request], str]


def different(slot: Slot, request: Request) -> str:
    """A text that no other request gets."""
    return reply_text({"model": "fake", "messages": [], "seed": request.seed})


class Steered:
    """A run of `documents` over three domains and one form; `says` is the teacher. Near copies are refused by their text."""

    def __init__(
        self, folder: Path, says: Says = different, stored: dict[str, Outcome] | None = None, **config: Any
    ) -> None:
        given = {"documents": 48, "domains": DOMAINS, "forms": ("textbook_section",), "attempts": 2, **config}
        self.config = GenerateConfig.model_validate(given)
        self.folder, self.says = folder, says
        self.outcomes: dict[str, Outcome] = {} if stored is None else stored  # the journal
        self.slots = plan_slots(self.config, LIBRARY, 7)
        lanes = lanes_of(self.config, LIBRARY, 7)
        source = Source(lanes, self.config.coverage.cells, 7, (slot.id for slot in self.slots))
        self.collapse = Collapse(self.config.collapse, lambda template: 3)
        self.coverage = Coverage(self.slots, source, self.config, self.collapse)
        self.book = Book(self.slots, self.config, self._accept, coverage=self.coverage)
        self.waves = Waves(self.book, open_store(folder), self._make, dict(self.outcomes))
        self.sent: list[str] = []
        self._seen: set[str] = set()
        self._slot_of: dict[str, Slot] = {}

    def run(self, *, window: int = 8, kill_after: int | None = None, order: random.Random | None = None) -> Steered:
        """Until all is answered, or until `kill_after` replies; replies come in the order asked, or in one drawn."""
        flying: deque[Request] = deque()
        while True:
            while len(flying) < window and (batch := self.waves.take(window - len(flying))):
                flying += batch
            if not flying:
                return self
            if kill_after is not None and len(self.sent) >= kill_after:
                return self
            if order:
                flying.rotate(order.randrange(len(flying)))
            request = flying.popleft()
            text = self.says(self._slot_of[request.key], request)
            self.outcomes[request.key] = Reply(request.key, text, "stop", 10, 30, "m", 0.1, "e")
            self.sent.append(request.key)
            self.book.take_in([self.outcomes[request.key]])

    def cell(self, name: str) -> CellState:
        """The cell that has this value on one of its axes."""
        (found,) = [cell for key, cell in self.coverage.cells.items() if name in key]
        return found

    def wave_files(self) -> list[dict[str, Any]]:
        """Waves as committed."""
        store = open_store(self.folder)
        return [orjson.loads(store.read(name)) for name in store.names("waves/")]

    def _make(self, turn: Turn) -> Request:
        request = make_request(turn.slot, turn.attempt, LIBRARY, TeacherConfig(), self.config, 7)
        self._slot_of[request.key] = turn.slot
        return request

    def _accept(self, documents: Sequence[Document]) -> list[tuple[str, str]]:
        verdicts = []
        for item in documents:
            verdicts.append(("duplicate.near", "") if item.text in self._seen else ("", ""))
            self._seen.add(item.text)
        return verdicts
