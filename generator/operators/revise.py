"""Self-revision: the teacher criticises its text by a rubric and writes it again, for some rounds.

phi-4 (2412.08905, section 2.2): initial replies are refined by critique and rewriting against rubrics of reasoning and
factual accuracy. A comparison is made in both orders, because judges favour a place (RECIPES V-rows: position swap).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from generator.operators.config import ReviseConfig
from generator.operators.play import Answer, Ask, Draft, Play, Setting, Value, fence, read, read_all, tell
from prompts.shape import Shape, Unreadable

MOST_FAULTS = 6


class Fault(Shape):
    """One thing that is wrong with a text."""

    where: str
    problem: str
    remedy: str


class Critique(Shape):
    """What a rubric finds; nothing where the text meets it."""

    faults: Annotated[list[Fault], Field(max_length=MOST_FAULTS)]


class Preference(Shape):
    """Which of two texts meets the rubric better."""

    reason: str
    better: Literal["first", "second"]


def revise(draft: Draft, config: ReviseConfig, setting: Setting) -> Play:
    """The draft after up to `rounds` rounds, each of which is a critique and, where it finds faults, a new text."""
    rubric = list(setting.library.rubric(config.rubric))
    text, rounds = draft.text, 0
    for _ in range(config.rounds):
        critique = yield from read(Ask("revise_critique", {"rubric": rubric, "text": fence(text)}), Critique)
        if not critique.faults:
            break
        text = yield from tell(
            "revise_rewrite", {"rubric": rubric, "text": fence(text), "faults": fence(_list(critique))}
        )
        rounds += 1
    if rounds and config.keep == "better" and not (yield from _wins(draft.text, text, rubric)):
        return draft.become(draft.text, f"revise:{rounds}:kept_first", quotes=draft.quotes)
    return draft.become(text, f"revise:{rounds}", quotes=draft.quotes)


def _list(critique: Critique) -> str:
    return "\n".join(f"- {fault.where}\n  {fault.problem}\n  {fault.remedy}" for fault in critique.faults)


def _wins(first: str, last: str, rubric: list[str]) -> Generator[Sequence[Ask], Sequence[Answer], bool]:
    """Whether the last text is called the better one from both places."""
    pairs: list[dict[str, Value]] = [
        {"rubric": rubric, "first": fence(a), "second": fence(b)} for a, b in ((first, last), (last, first))
    ]
    found = yield from read_all([Ask("revise_compare", pair) for pair in pairs], Preference)
    wanted = ("second", "first")
    return all(
        not isinstance(item, Unreadable) and item.better == place for item, place in zip(found, wanted, strict=True)
    )
