"""A teacher asked one thing after another, and closed whatever happens."""

from __future__ import annotations

import pytest

from generator.chat import chat_with
from generator.reply import ProbeResult, Reply, TeacherError
from generator.request import Request
from generator.teacher_config import TeacherConfig
from prompts.templates import Message


class Echo:
    """Says how long the last message was; breaks at the third."""

    def __init__(self) -> None:
        self.seen: list[Request] = []
        self.closed = False

    async def complete(self, request: Request) -> Reply:
        self.seen.append(request)
        if len(self.seen) == 3:
            raise TeacherError("connection", "gone", retryable=True)
        return Reply(request.key, str(len(request.messages[-1]["content"])), "stop", 1, 1, "m", 0.1, "e")

    async def probe(self) -> ProbeResult:
        raise NotImplementedError

    async def close(self) -> None:
        self.closed = True


def test_calls_are_answered_in_order_and_the_teacher_is_closed_after_a_failure() -> None:
    teacher, said = Echo(), []

    def talk() -> None:
        with chat_with(teacher, TeacherConfig(), 99) as ask:
            said.extend(ask((Message(role="user", content=text),)) for text in ("tide", "潮汐", "x"))

    with pytest.raises(TeacherError, match="gone"):
        talk()
    assert said == ["4", "2"]
    assert teacher.closed
    assert [request.demands.max_tokens for request in teacher.seen] == [99, 99, 99]
    assert len({request.seed for request in teacher.seen}) == 3
