"""What is looked at before a token is spent: prompts and seeds against benchmarks, seeds against personal data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import polars as pl

from corpus.errors import RecipeError
from filters.config import DecontaminateConfig
from filters.decontaminate import Decontaminator, decontaminator
from filters.sensitive import redact
from generator.config import GenerateConfig
from generator.plan import Slot
from generator.request import Request
from generator.teacher_config import TeacherConfig
from prompts.seeds import Seed
from ray_jobs.desk import LOOPBACK

BATCH = 1024  # prompts that are checked together


def without_personal_data(
    seeds: Sequence[Seed], config: GenerateConfig, teacher: TeacherConfig
) -> tuple[list[Seed], dict[str, int]]:
    """The seeds that may be shown to the teacher, and how many findings of each kind were masked or left out.

    Raises `RecipeError` where they are to be sent as they are to an endpoint that is not on this machine.
    """
    if config.private_seeds == "send":
        _check_stays_here(teacher)
        return list(seeds), {}
    counts: Counter[str] = Counter()
    shown = []
    for seed in seeds:
        (text, in_text), (title, in_title) = redact(seed.text), redact(seed.title)
        counts.update(in_text)
        counts.update(in_title)
        if config.private_seeds == "mask" or not (in_text or in_title):
            shown.append(replace(seed, text=text, title=title))
    return shown, dict(counts)


def contaminated_slots(
    slots: Sequence[Slot],
    first: Callable[[Slot], Sequence[Request]],
    seeds: Mapping[str, Seed],
    config: DecontaminateConfig,
) -> dict[str, str]:
    """Slots whose seed or whose first prompts hold a benchmark item, each with the item's name.

    Later attempts differ in their opening alone, and later steps hold what the teacher wrote, which is checked when it
    is judged. So what a slot asks about is known from its first attempt.
    """
    index = decontaminator(config)
    if index is None:
        return {}
    held = {name: by for name, by in _found(index, ((seed.id, seed.text) for seed in seeds.values()), config)}
    found = {slot.id: f"seed {name}: {held[name]}" for slot in slots for name in slot.seed_ids if name in held}
    prompts = (
        (slot.id, "\n\n".join(message["content"] for message in request.messages))
        for slot in slots
        if slot.id not in found
        for request in first(slot)
    )
    return found | {slot: f"prompt: {by}" for slot, by in _found(index, prompts, config)}


def _found(
    index: Decontaminator, texts: Iterator[tuple[str, str]], config: DecontaminateConfig
) -> Iterator[tuple[str, str]]:
    """(name, item) of the texts that would be rejected."""
    waiting: list[tuple[str, str]] = []
    for named in texts:
        waiting.append(named)
        if len(waiting) == BATCH:
            yield from _judged(index, waiting, config)
            waiting = []
    yield from _judged(index, waiting, config)


def _judged(
    index: Decontaminator, named: Sequence[tuple[str, str]], config: DecontaminateConfig
) -> Iterator[tuple[str, str]]:
    scores = index.score(pl.Series([text for _, text in named], dtype=pl.String))
    flags = (scores["contaminated.ngram"] >= config.coverage) | (scores["contaminated.code"] >= config.code)
    yield from ((named[place][0], str(scores["contaminated.by"][place])) for place in flags.nonzero()[0].tolist())


def _check_stays_here(teacher: TeacherConfig) -> None:
    away = [url for url in teacher.endpoints if urlsplit(url).hostname not in LOOPBACK]
    if away or teacher.registry:
        raise RecipeError(
            "generate.private_seeds: `send` would show personal data in seeds to an endpoint that is not on this machine",
            hint="set it to `mask` or `leave_out`",
        )
