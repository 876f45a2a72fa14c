"""Plurality: a question is worth keeping where independent answers mostly agree, but not all of them.

phi-4 (2412.08905, section 2.2): questions on which all answers agree are too easy, those without a plurality too hard
or ambiguous; the plurality answer stands in for the truth. Number and thresholds are not published: the recipe says.
"""

from __future__ import annotations

from collections import Counter

from generator.operators.answers import normalised
from generator.operators.config import PluralityConfig
from generator.operators.play import Ask, Draft, Dropped, Play, Setting, fence, read_all
from prompts.shape import Shape, Unreadable


class Solution(Shape):
    """One answer, with the way to it."""

    reasoning: str
    answer: str


def plurality(draft: Draft, config: PluralityConfig, setting: Setting) -> Play:
    """The draft is the question; it ends with the first solution that arrives at the plurality answer."""
    ask = Ask("plurality_answer", {"question": fence(draft.text)})
    found = yield from read_all([ask] * config.answers, Solution)
    solutions = [item for item in found if not isinstance(item, Unreadable)]
    label, votes = elected([item.answer for item in solutions], config)
    chosen = next(item for item in solutions if normalised(item.answer) == label)
    values = {"question": draft.text, "reasoning": chosen.reasoning.strip(), "answer": chosen.answer.strip()}
    return draft.become(setting.page("plurality", values), f"plurality:{votes}/{config.answers}")


def elected(answers: list[str], config: PluralityConfig) -> tuple[str, int]:
    """The most frequent answer in its normalised form, and its votes; drops what is too easy or undecided.

    Replies that could not be read count as votes for nobody: shares are of all `config.answers`.
    """
    ranked = Counter(filter(None, map(normalised, answers))).most_common(2)
    if not ranked:
        raise Dropped("no_plurality", "no answer could be read")
    label, votes = ranked[0]
    if len(ranked) > 1 and ranked[1][1] == votes:
        raise Dropped("no_plurality", f"{votes} of {config.answers} answer {label!r}, as many {ranked[1][0]!r}")
    if votes < config.decided * config.answers:
        raise Dropped("no_plurality", f"{votes} of {config.answers} answer {label!r}")
    if votes >= config.easy * config.answers:
        raise Dropped("too_easy", f"{votes} of {config.answers} answer {label!r}")
    return label, votes
