"""The real vLLM holds the embedded teacher to a schema, and the teacher takes part in a round of revision."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from generator.attempt import Turn
from generator.operators.revise import Preference
from generator.reply import Reply
from generator.request import Request
from generator.teachers.openai_endpoint import OpenAITeacher
from prompts.shape import Unreadable
from tests.fakes.playing import perform, recorded

pytestmark = [pytest.mark.teacher, pytest.mark.timeout(900)]


def test_a_round_of_revision_and_a_structured_reply_come_from_the_real_server(real_teacher: Any) -> None:
    """What a reply is worth is not asked of so small a teacher: only that it has the shape, or was cut off."""
    replies: list[tuple[str, Reply]] = []
    with asyncio.Runner() as runner:
        teacher = OpenAITeacher(real_teacher.url, served_model=real_teacher.model)

        def say(turn: Turn, request: Request) -> Reply:
            reply = runner.run(teacher.complete(request))
            replies.append((request.schema, reply))
            return reply

        ends = [perform(say, [{"revise": {"rounds": 1, "keep": "better"}}], attempt=attempt, max_tokens=320, words=(40, 80))
                for attempt in range(3)]  # fmt: skip
        runner.run(teacher.close())
    steps = {step for done in ends for step in done.steps}
    assert {"write", "revise_critique"} <= steps
    structured = [reply for schema, reply in replies if schema]
    whole = [reply for reply in structured if reply.finish_reason == "stop"]
    assert whole, "no structured reply came to its end"
    assert all(isinstance(orjson.loads(reply.text), dict) for reply in whole)
    for done in ends:
        assert done.end is not None
        print(done.steps, getattr(done.end, "reason", "kept"))


def test_the_server_keeps_an_enumeration(real_teacher: Any) -> None:
    first, second = recorded("revise")[0]["write"], recorded("revise")[0]["replies"][1]
    found: list[str] = []

    def say(turn: Turn, request: Request) -> str | Reply:
        if turn.ask.step == "revise_compare":
            reply = asyncio.run(_once(real_teacher, request))
            found.append(reply.text if reply.finish_reason == "stop" else "")
            return reply
        said = {"write": first, "revise_critique": recorded("revise")[0]["replies"][0], "revise_rewrite": second}
        return said[turn.ask.step or "write"]

    perform(say, [{"revise": {"keep": "better"}}], max_tokens=200)
    assert len(found) >= 2
    for text in filter(None, found):
        try:
            assert Preference.parse(text).better in ("first", "second")
        except Unreadable as fault:
            pytest.fail(f"{fault}: {text!r}")


async def _once(real_teacher: Any, request: Request) -> Reply:
    teacher = OpenAITeacher(real_teacher.url, served_model=real_teacher.model)
    try:
        return await teacher.complete(request)
    finally:
        await teacher.close()
