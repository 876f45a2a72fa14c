"""A whole attempt at one slot, answered from a script: what an operator asked, and what became of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from corpus.document import Document, Rejection
from generator.attempt import Attempt, Turn
from generator.config import GenerateConfig
from generator.operators.chain import play
from generator.operators.play import RunTests, Setting
from generator.plan import plan_slots
from generator.reply import Failure, Reply
from generator.request import Request, make_request
from generator.teacher_config import TeacherConfig
from prompts.library import Library, load_library
from prompts.seeds import Seed

LIBRARY = load_library()
Say = Callable[[Turn, Request], "str | Reply | Failure"]


def recorded(name: str) -> list[dict[str, Any]]:
    """The recorded replies of `tests/generator/operators/NAME.yaml`."""
    path = Path(__file__).parents[1] / "generator" / "operators" / f"{name}.yaml"
    return list(yaml.safe_load(path.read_text("utf-8")))


@dataclass
class Performance:
    """Steps in the order of asking, each with its request, and the end."""

    end: Document | Rejection | None = None
    asked: list[tuple[str, Request]] = field(default_factory=list)

    @property
    def steps(self) -> list[str]:
        """Names of the steps; the form's own is `write`."""
        return [name for name, _ in self.asked]

    @property
    def document(self) -> Document:
        """The end, when it is one."""
        assert isinstance(self.end, Document), self.end
        return self.end

    @property
    def reason(self) -> str:
        """Why there is no document."""
        assert isinstance(self.end, Rejection), self.end
        return self.end.reason


def perform(
    say: Say | Sequence[str], operators: Sequence[dict[str, Any]], *, form: str = "textbook_section",
    language: str = "en", seed: Seed | None = None, run_tests: RunTests | None = None, library: Library = LIBRARY,
    attempt: int = 0, backwards: bool = False, **config: Any,
) -> Performance:  # fmt: skip
    """Carry an attempt to its end. `say` answers a turn; a list answers in the order of asking."""
    told = GenerateConfig(documents=1, languages=(language,), forms=(form,), operators=operators, min_words=5, **config)
    (slot,) = plan_slots(told, library, 1, [seed] if seed else ())
    seeds = {seed.id: seed} if seed else {}
    setting = Setting(slot, attempt, library.of(language), run_tests)
    running = Attempt(slot, attempt, play(setting, told.operators, seed.text if seed else ""), told)
    answer, done, found = _answers(say), Performance(), running.begin()
    while isinstance(found, list):
        assert found, "the play waits for an answer that nobody will give"
        turns, found = found, []
        pairs = [(turn, make_request(slot, attempt, library, TeacherConfig(), told, 1, seeds, turn.ask, turn.step))
                 for turn in turns]  # fmt: skip
        done.asked += [(turn.ask.step or "write", request) for turn, request in pairs]
        said = [(turn, request, answer(turn, request)) for turn, request in pairs]
        for turn, request, text in reversed(said) if backwards else said:
            outcome = Reply(request.key, text, "stop", 10, 20, "m", 0.1, "e") if isinstance(text, str) else text
            found = running.take(turn, request, outcome) or found
    done.end = found
    return done


def _answers(say: Say | Sequence[str]) -> Say:
    if callable(say):
        return say
    texts = itertools.chain(say)
    return lambda turn, request: next(texts)
