"""Requests, journals and teachers for tests of the asker."""

from __future__ import annotations

from generator.reply import ProbeResult, Reply
from generator.request import Demands, Request, Sampling
from tests.fakes.teacher_text import reply_text


def request_of(number: int, *, timeout_s: float = 30.0, max_tokens: int = 256, model: str = "fake-teacher") -> Request:
    """The `number`th request; its prompt holds `<number>` so that a fault can be aimed at it."""
    messages = ({"role": "user", "content": f"Write a section about subject <{number}>."},)
    demands = Demands(max_tokens, timeout_s)
    return Request(
        f"key-{number}", f"slot-{number}", 0, messages, model, "main", Sampling(0.8, 0.95), number, demands, "template"
    )


def expected_text(request: Request) -> str:
    """What the fake teacher writes for it, known beforehand."""
    body = {
        "model": request.model, "messages": list(request.messages), "seed": request.seed,
        "temperature": request.sampling.temperature, "top_p": request.sampling.top_p,
    }  # fmt: skip
    return reply_text(body)


class ScriptedTeacher:
    """A teacher in this process; `act(request, times sent before)` gives its reply's text or raises."""

    def __init__(self, act) -> None:
        self._act, self.sent = act, {}

    async def complete(self, request: Request) -> Reply:
        """What the script says."""
        before = self.sent.get(request.key, 0)
        self.sent[request.key] = before + 1
        text = await self._act(request, before)
        return Reply(request.key, text, "stop", 5, 10, request.model, 0.0, "script")

    async def probe(self) -> ProbeResult:
        """Always there."""
        return ProbeResult("script", "fake-teacher", "script", 2048, 0.0)

    async def close(self) -> None:
        """Nothing to give back."""
