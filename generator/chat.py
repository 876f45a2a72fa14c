"""A teacher as a plain function from messages to text, for the few calls that make no row of a dataset."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from corpus.ids import digest, seed_from
from generator.reply import Teacher
from generator.request import Demands, Request, Sampling
from generator.teacher_config import TeacherConfig
from prompts.templates import Message


@contextmanager
def chat_with(
    teacher: Teacher, config: TeacherConfig, max_tokens: int = 1024
) -> Iterator[Callable[[tuple[Message, ...]], str]]:
    """`ask(messages) -> text`, one call at a time; the teacher is closed at the end. Raises what the teacher raises."""
    with asyncio.Runner() as runner:
        try:
            yield lambda messages: runner.run(teacher.complete(_request(messages, config, max_tokens))).text
        finally:
            runner.run(teacher.close())


def _request(messages: tuple[Message, ...], config: TeacherConfig, max_tokens: int) -> Request:
    name = digest("chat", list(messages), f"{config.model}@{config.revision}")
    return Request(
        name, name, 0, messages, config.model, config.revision, Sampling(config.temperature, config.top_p),
        seed_from(name), Demands(max_tokens, config.timeout_s), "",
    )  # fmt: skip
