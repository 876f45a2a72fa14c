"""Several endpoints as one teacher: each request goes to the least busy, and a dead one rests without costing a row."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from corpus.errors import SetupError
from generator.reply import ProbeResult, Reply, Teacher, TeacherError
from generator.request import Request

FAULTS = 3  # in a row, before an endpoint rests
REST_S, REST_LIMIT_S = 5.0, 120.0  # first and longest rest, doubled while it stays dead
BLAMED = ("connection", "server_error", "timeout", "stalled")  # reasons that speak of the endpoint, not of one request


@dataclass(slots=True, eq=False)
class _Member:
    teacher: Teacher
    in_flight: int = 0
    faults: int = 0
    rests: int = 0
    rests_until: float = 0.0  # by the monotonic clock


class Pool:
    """A `Teacher` over others. When the asker sends again after a failure, it finds the next endpoint by itself."""

    def __init__(self, teachers: Sequence[Teacher], *, rest_s: float = REST_S) -> None:
        if not teachers:
            raise SetupError("a pool needs an endpoint", hint="set teacher.endpoints, or leave it out to serve here")
        self._members = [_Member(teacher) for teacher in teachers]
        self._rest_s = rest_s

    async def complete(self, request: Request) -> Reply:
        """The answer of the least busy endpoint that is not resting; of the one to wake first when all are."""
        member = self._next()
        member.in_flight += 1
        try:
            reply = await member.teacher.complete(request)
        except TeacherError as error:
            if error.reason in BLAMED:
                self._blame(member)
            raise
        except asyncio.CancelledError:
            self._blame(member)  # the asker cut it off as stalled, or the run ends and nobody asks again
            raise
        finally:
            member.in_flight -= 1
        member.faults = member.rests = 0
        member.rests_until = 0.0
        return reply

    async def probe(self) -> ProbeResult:
        """The first endpoint that answers; the others rest. Raises `SetupError` when none does, or models differ."""
        answers = await asyncio.gather(*(item.teacher.probe() for item in self._members), return_exceptions=True)
        found = [item for item in answers if isinstance(item, ProbeResult)]
        for member, answer in zip(self._members, answers, strict=True):
            if isinstance(answer, SetupError):
                self._rest(member)
            elif isinstance(answer, BaseException):
                raise answer
        if not found:
            raise SetupError("; ".join(str(item) for item in answers), hint="no endpoint answers: hornbook doctor")
        if len({item.model for item in found}) > 1:
            told = ", ".join(f"{item.endpoint} serves {item.model}" for item in found)
            raise SetupError(f"the endpoints serve different models: {told}", hint="one dataset has one teacher")
        return found[0]

    async def close(self) -> None:
        """Close all."""
        await asyncio.gather(*(item.teacher.close() for item in self._members))

    def _next(self) -> _Member:
        now = time.monotonic()
        awake = [item for item in self._members if item.rests_until <= now]
        if awake:
            return min(awake, key=lambda item: item.in_flight)
        return min(self._members, key=lambda item: item.rests_until)

    def _blame(self, member: _Member) -> None:
        member.faults += 1
        if member.faults >= FAULTS:
            self._rest(member)

    def _rest(self, member: _Member) -> None:
        member.rests_until = time.monotonic() + min(REST_LIMIT_S, self._rest_s * 2**member.rests)
        member.rests += 1
        member.faults = FAULTS - 1  # when it wakes, one more failure sends it back to rest
