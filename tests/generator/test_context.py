"""A prompt that cannot fit is set aside by name before it is sent; one that may fit is left to the server."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np

from corpus.journal import JournalWriter
from corpus.store import open_store
from generator.ask import Asker
from generator.context import Context
from generator.reply import Failure, Reply
from tests.fakes.asking import ScriptedTeacher, request_of


class Words:
    """A token a word."""

    name = "words"

    def __init__(self) -> None:
        self.counted = 0

    def count(self, texts):
        self.counted += len(texts)
        return np.array([len(text.split()) for text in texts], np.int32)


def saying(words: int):
    return replace(request_of(words, max_tokens=256), messages=({"role": "user", "content": "word " * words},))


def test_the_limit_is_prompt_and_reply_together_and_short_prompts_are_not_even_counted():
    counter = Words()
    context = Context(1000, counter)
    assert context.overlong(saying(30)) == ""
    assert counter.counted == 0
    assert context.overlong(saying(744)) == ""
    assert "745 tokens" in context.overlong(saying(745))


def test_an_overlong_prompt_is_a_failure_of_its_own_that_was_never_sent(tmp_path):
    async def fine(request, before):
        return "x"

    async def go():
        teacher = ScriptedTeacher(fine)
        asker = Asker(teacher, JournalWriter(open_store(tmp_path), "w"), window=2, retries=1,
                      overlong=Context(1000, Words()).overlong)  # fmt: skip
        return [await asker.one(saying(count)) for count in (100, 2000)], teacher.sent

    (good, bad), sent = asyncio.run(go())
    assert isinstance(good, Reply)
    assert isinstance(bad, Failure)
    assert (bad.reason, bad.retryable, bad.tries) == ("overlong", False, 0)
    assert list(sent) == ["key-100"]
