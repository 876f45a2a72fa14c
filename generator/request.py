"""A request, and its key: what makes two requests the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

from corpus.ids import digest, seed_from
from generator.config import GenerateConfig
from generator.plan import Slot
from generator.teacher_config import TeacherConfig
from prompts.library import Library
from prompts.templates import Message, render, template_hash


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the teacher draws. Part of the key."""

    temperature: float
    top_p: float


@dataclass(frozen=True, slots=True)
class Demands:
    """What a stored reply must offer to serve again. Not part of the key."""

    max_tokens: int
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Request:
    """One call of the teacher."""

    key: str
    slot_id: str
    attempt: int
    messages: tuple[Message, ...]
    model: str
    revision: str
    sampling: Sampling
    seed: int
    demands: Demands
    template_hash: str
    seed_ids: tuple[str, ...] = ()


def make_request(
    slot: Slot, attempt: int, library: Library, teacher: TeacherConfig, config: GenerateConfig, seed: int
) -> Request:
    """The request of an attempt: a pure function of its arguments, so that any prompt can be rendered again."""
    form = library.forms[slot.cell.form]
    template = library.templates[form.template]
    messages = render(template, _values(slot, attempt, library, config), form.template)
    sampling = Sampling(teacher.temperature, teacher.top_p)
    draw = seed_from(seed, slot.id, attempt)
    key = digest(
        "request", list(messages), f"{teacher.model}@{teacher.revision}", sampling.temperature, sampling.top_p, draw
    )
    demands = Demands(config.max_tokens, teacher.timeout_s)
    return Request(
        key,
        slot.id,
        attempt,
        messages,
        teacher.model,
        teacher.revision,
        sampling,
        draw,
        demands,
        template_hash(template),
    )


def continue_request(request: Request, text: str) -> Request:
    """The request that has the teacher go on from `text`, its own words so far; same seed, a key of its own."""
    messages = (*request.messages, Message(role="assistant", content=text))
    return replace(request, key=digest("continue", request.key, text), messages=messages)


def _values(slot: Slot, attempt: int, library: Library, config: GenerateConfig) -> dict[str, str | list[str]]:
    cell, form = slot.cell, library.forms[slot.cell.form]
    domain = library.domains[cell.domain]
    topic = next(item for item in domain.topics if item.title == cell.topic)
    low, high = config.words or form.words
    return {
        "domain": domain.title,
        "topic": topic.title,
        "points": list(topic.points),
        "audience": library.audiences[cell.audience],
        "style": library.styles[cell.style],
        "opening": form.openings[seed_from("opening", slot.id, attempt) % len(form.openings)],
        "words_low": str(low),
        "words_high": str(high),
    }
