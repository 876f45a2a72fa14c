"""Questions from deduction chains: what a document lets one conclude becomes a question, and is answered once more.

phi-4 (2412.08905, section 2.2): reasoning steps or logical progressions are found in organic text and turned into
questions and answers. Every premise must stand in the document word for word, so that nothing is deduced from nothing.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from generator.operators.answers import normalised
from generator.operators.config import DeduceConfig
from generator.operators.play import Ask, Draft, Dropped, Play, Setting, fence, read
from prompts.shape import Shape


class Chain(Shape):
    """Premises quoted from a text, and what follows from them step by step; empty where the text deduces nothing."""

    premises: Annotated[list[str], Field(max_length=8)]
    steps: Annotated[list[str], Field(max_length=8)]
    conclusion: str


class Question(Shape):
    """A question that the chain answers; it can be understood without the document."""

    question: str
    reasoning: str
    answer: str


class Check(Shape):
    """The question answered from its own words."""

    reasoning: str
    answer: str


def deduce(draft: Draft, config: DeduceConfig, setting: Setting) -> Play:
    """The draft is the document. Without a chain of `steps` steps, grounded in it, there is no question."""
    chain = yield from read(Ask("deduce_chain", {"text": fence(draft.text)}), Chain)
    if len(chain.steps) < config.steps or not chain.premises:
        raise Dropped("no_chain", f"{len(chain.premises)} premises and {len(chain.steps)} steps")
    if loose := [item for item in chain.premises if not _flat(item) or _flat(item) not in _flat(draft.text)]:
        raise Dropped("not_grounded", f"no words of the text: {loose[0][:200]}")
    told = {
        "premises": fence(_lines(chain.premises)),
        "steps": fence(_lines(chain.steps)),
        "conclusion": fence(chain.conclusion),
    }
    found = yield from read(Ask("deduce_question", told), Question)
    if config.check:
        seen = yield from read(Ask("deduce_check", {"question": fence(found.question)}), Check)
        if normalised(seen.answer) != normalised(found.answer):
            raise Dropped("not_deducible", f"{found.answer[:100]!r}, and answered once more {seen.answer[:100]!r}")
    page = setting.page("deduce", {name: value.strip() for name, value in found.model_dump().items()})
    return draft.become(page, f"deduce:{len(chain.steps)}{':checked' if config.check else ''}")


def _lines(items: list[str]) -> str:
    return "\n".join(f"{place}. {item}" for place, item in enumerate(items, 1))


def _flat(text: str) -> str:
    """Letters and digits only: a quotation may be broken and punctuated otherwise."""
    return re.sub(r"[\W_]+", "", text.casefold())
