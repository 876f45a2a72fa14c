"""A play: an operator asks, is answered, asks again, and ends with a draft or with a reason against it.

A play is a generator: it yields the requests of a round, which may be answered side by side, and gets their answers in
the same order. What it yields next depends on nothing but the slot, the attempt and the answers so far, so the same
replies always lead to the same draft, whichever run they were paid by.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from generator.plan import Slot
from prompts.form import Form
from prompts.library import Library
from prompts.seeds import Seed, fenced, harmless
from prompts.shape import Shape, Unreadable, schema_of

Value = str | list[str]
Read = TypeVar("Read", bound=Shape)
RunTests = Callable[[str, str], tuple[bool, str]]
"""(code, tests) to (whether all pass, what was seen), run where foreign code may run."""
SHOWN = 12_000  # characters of a text that a step's prompt can hold; a cut text would be revised into a shorter one


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a play. `step` names a template in `steps`; empty for the form's own."""

    step: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    schema: str = ""
    """JSON schema of the reply in canonical form; empty where the reply is text."""
    unread: tuple[str, str] | None = None
    """A reply to the same request that could not be read, and why: this one asks for a better one."""


WRITE = Ask()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a cleaned text, or the reply as it is where a schema was asked for."""

    text: str
    finish_reason: str = "stop"


@dataclass(frozen=True, slots=True)
class Draft:
    """A text on its way to being a document. `steps` is what the lineage will say of its making."""

    text: str
    steps: tuple[str, ...] = ()
    seed: str = ""
    """Text of the seed that the draft began as, where no template of the form stands before the operators."""
    quotes: bool = False
    """The text holds its seed word for word, on purpose."""

    def become(self, text: str, step: str, *, quotes: bool = False) -> Draft:
        """The next draft, with one more step behind it."""
        return replace(self, text=text, steps=(*self.steps, step), quotes=quotes)


class Dropped(Exception):
    """A play ends without a draft. `reason` is short and stable."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


Asking = Generator[Sequence[Ask], Sequence[Answer], Any]
Play = Generator[Sequence[Ask], Sequence[Answer], Draft]


def unasked(reason: str, detail: str = "") -> Play:
    """The play of a slot that nothing is asked for."""
    raise Dropped(reason, detail)
    yield  # a play is a generator


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a play takes place. `library` is that of the slot's language."""

    slot: Slot
    attempt: int
    library: Library
    run_tests: RunTests | None = None

    @property
    def form(self) -> Form:
        """The slot's form."""
        return self.library.forms[self.slot.cell.form]

    def page(self, name: str, values: Mapping[str, str]) -> str:
        """The text that the pieces of a document make together, as `pages.yaml` has it."""
        return self.library.page(name, values)


def fence(text: str) -> str:
    """A text of the teacher between the lines that it cannot contain. Drops one that is too long to be shown whole."""
    if len(text) > SHOWN:
        raise Dropped("too_long", f"{len(text):,} characters cannot be shown to the teacher again")
    return fenced(Seed("", text), SHOWN + len(harmless(text)))


def tell(step: str, values: Mapping[str, Value]) -> Asking:
    """Ask for one text."""
    (answer,) = yield [Ask(step, values)]
    return answer.text


def read(ask: Ask, shape: type[Read]) -> Generator[Sequence[Ask], Sequence[Answer], Read]:
    """Ask for one structured reply. Drops what cannot be read after one attempt at repair."""
    (found,) = yield from read_all([ask], shape)
    if isinstance(found, Unreadable):
        raise Dropped(found.reason, f"{ask.step or 'write'}: {found.detail}")
    return found


def read_all(
    asks: Sequence[Ask], shape: type[Read]
) -> Generator[Sequence[Ask], Sequence[Answer], list[Read | Unreadable]]:
    """Ask side by side; each reply that cannot be read is shown to the teacher once, with its fault, to be mended."""
    asks = [replace(ask, schema=schema_of(shape)) for ask in asks]
    answers = yield asks
    found = [_read(answer, shape) for answer in answers]
    broken = [place for place, item in enumerate(found) if isinstance(item, Unreadable)]
    if not broken:
        return found
    again = [replace(asks[place], unread=(answers[place].text, str(found[place]))) for place in broken]
    for place, answer in zip(broken, (yield again), strict=True):
        found[place] = _read(answer, shape)
    return found


def _read(answer: Answer, shape: type[Read]) -> Read | Unreadable:
    try:
        return shape.parse(answer.text, answer.finish_reason)
    except Unreadable as fault:
        return fault
