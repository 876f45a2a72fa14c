"""A request, and its key: what makes two requests the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from corpus.errors import RecipeError
from corpus.ids import digest, seed_from
from generator.config import GenerateConfig
from generator.length import in_characters
from generator.operators.play import WRITE, Ask
from generator.plan import Cell, Slot
from generator.teacher_config import TeacherConfig
from prompts.forced import draw_forced
from prompts.form import Form
from prompts.library import Library
from prompts.seeds import LIMIT, Seed, fenced
from prompts.templates import Message, render, template_hash

UNREAD_LIMIT = 12_000  # characters of an unreadable reply that the teacher is shown
NO_SEEDS: Mapping[str, Seed] = MappingProxyType({})


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
    top_logprobs: int = 0


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
    schema: str = ""
    """JSON schema that the reply must meet, in canonical form; part of the key."""


def make_request(
    slot: Slot, attempt: int, library: Library, teacher: TeacherConfig, config: GenerateConfig, seed: int,
    seeds: Mapping[str, Seed] = NO_SEEDS, ask: Ask = WRITE, step: int = 0,
) -> Request:  # fmt: skip
    """The request of a step of an attempt: a pure function of its arguments, so that any prompt can be rendered again.

    `seeds` holds the documents that the slot's `seed_ids` name; `step` counts the requests of the attempt.
    """
    shelf = library.of(slot.cell.language)
    template, messages = _messages(slot, attempt, shelf, config, seeds, ask)
    sampling, room = _drawn(shelf.forms[slot.cell.form], teacher, config)
    draw = seed_from(seed, slot.id, attempt, *([step] if step else []))
    schema = ask.schema if config.structured == "schema" else ""
    key = digest(
        "request", list(messages), f"{teacher.model}@{teacher.revision}", sampling.temperature, sampling.top_p, draw,
        *([schema] if schema else []),
    )  # fmt: skip
    demands = Demands(room, teacher.timeout_s, teacher.top_logprobs)
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
        slot.seed_ids,
        schema,
    )


def _drawn(form: Form, teacher: TeacherConfig, config: GenerateConfig) -> tuple[Sampling, int]:
    """Sampling and room of a form's replies: the recipe's word for the form, else the form's own, else for all."""
    first, second = config.draw.get(form.id, form.draw), form.draw
    temperature = _first(first.temperature, second.temperature, teacher.temperature)
    top_p = _first(first.top_p, second.top_p, teacher.top_p)
    return Sampling(temperature, top_p), int(_first(first.max_tokens, second.max_tokens, config.max_tokens))


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)


def continue_request(request: Request, text: str) -> Request:
    """The request that has the teacher go on from `text`, its own words so far; same seed, a key of its own."""
    messages = (*request.messages, Message(role="assistant", content=text))
    return replace(request, key=digest("continue", request.key, text), messages=messages)


def _messages(
    slot: Slot, attempt: int, shelf: Library, config: GenerateConfig, seeds: Mapping[str, Seed], ask: Ask
) -> tuple[str, tuple[Message, ...]]:
    """The template of a step, and the chat that it makes: of the form, or of an operator with the values it gave."""
    form = shelf.forms[slot.cell.form]
    if not ask.step:
        ways = shelf.ways(form)
        name, turn = ways[slot.variant % len(ways)]
        template, values = shelf.templates[name], _values(slot, attempt, shelf, config, seeds)
        if turn:
            values["opening"] = f"{values['opening']} {turn}"
        messages = render(template, values, name)
    else:
        name = f"{ask.step}.j2"
        if name not in shelf.steps:
            raise RecipeError(
                f"there is no template {name} in `{shelf.language}`", hint="write it in the folder `steps`"
            )
        template = shelf.steps[name]
        messages = render(template, {**_manner(slot.cell, shelf), **_length(form, config), **ask.values}, name)
    return template, (*messages, *(_mend(shelf, *ask.unread) if ask.unread else ()))


def _mend(shelf: Library, reply: str, fault: str) -> tuple[Message, ...]:
    """The teacher's own unreadable words, and what is wrong with them."""
    said = Message(role="assistant", content=reply[:UNREAD_LIMIT])
    return said, *render(shelf.steps["mend.j2"], {"fault": fault}, "mend.j2")


def _manner(cell: Cell, shelf: Library) -> dict[str, str | list[str]]:
    return {"audience": shelf.audiences[cell.audience].text, "style": shelf.styles[cell.style]}


def _values(
    slot: Slot, attempt: int, shelf: Library, config: GenerateConfig, seeds: Mapping[str, Seed]
) -> dict[str, str | list[str]]:
    cell, form = slot.cell, shelf.forms[slot.cell.form]
    return {
        **_manner(cell, shelf),
        "opening": form.openings[seed_from("opening", slot.id, attempt) % len(form.openings)],
        **_length(form, config),
        **(_source(slot, seeds) if form.seed else _subject(cell, shelf)),
        **({"forced": list(draw_forced(form.forced, shelf.words, slot.id, attempt))} if form.forced else {}),
    }


def _subject(cell: Cell, shelf: Library) -> dict[str, str | list[str]]:
    domain = shelf.domains[cell.domain]
    topic = domain.leaf[cell.topic]
    level = shelf.levels.get(topic.level, "") if topic.level else ""
    return {"domain": domain.title, "topic": topic.title, "points": list(topic.points), "level": level}


def _source(slot: Slot, seeds: Mapping[str, Seed]) -> dict[str, str | list[str]]:
    missing = [name for name in slot.seed_ids if name not in seeds]
    if missing or not slot.seed_ids:
        raise RecipeError(f"slot {slot.id}: the seed document {(missing or ['(none named)'])[0]} is not there")
    return {"seed": "\n\n".join(fenced(seeds[name], LIMIT // len(slot.seed_ids)) for name in slot.seed_ids)}


def _length(form: Form, config: GenerateConfig) -> dict[str, str | list[str]]:
    if form.words is not None:
        low, high = config.words or form.words
        return {"words_low": str(low), "words_high": str(high)}
    assert form.characters is not None  # a form has one of the two
    low, high = in_characters(config.words) if config.words else form.characters
    return {"characters_low": str(low), "characters_high": str(high)}
