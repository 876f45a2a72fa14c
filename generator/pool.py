"""Several endpoints as one teacher, over one window: each request to the endpoint that knows its beginning, none lost.

An endpoint's share follows what it achieves (`adaptive_window`); one that fails, hangs or falls silent rests, is probed
and comes back. A request that is overdue gets a copy at another endpoint: the first answer is the request's, the other
sending is cut off, so a request has one reply however often it was sent. Trying again after a failure is the asker's
task; it finds another endpoint by itself.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from corpus.errors import SetupError
from generator.endpoint import Endpoint, EndpointState, Sending, Trail
from generator.prefix import BOUND, Rendezvous, beginning
from generator.reply import ProbeResult, Reply, Teacher, TeacherError
from generator.request import Request
from generator.stall import Durations

REST_S, REST_LIMIT_S = 5.0, 120.0  # first and longest rest, doubled while it stays dead
STALL_S = 20.0  # no sending is called stalled sooner: the longest prefill seen on two cores was under 10 s
MOST = 1 << 16  # in flight, where nobody says


class Stopped(Exception):
    """The pool was stopped before the request was sent."""


class Pool:
    """A `Teacher` over others."""

    def __init__(
        self, teachers: Sequence[Teacher], *, most: int = MOST, stall_s: float = STALL_S, rest_s: float = REST_S
    ) -> None:
        """`most`: requests in flight, copies included."""
        if not teachers:
            raise SetupError("a pool needs an endpoint", hint="set teacher.endpoints, or leave it out to serve here")
        names = tuple(str(getattr(item, "url", f"teacher {place}")) for place, item in enumerate(teachers))
        start = most if len(teachers) == 1 else math.ceil(BOUND * most / len(teachers))
        self._endpoints = [Endpoint(item, name, start, most) for item, name in zip(teachers, names, strict=True)]
        self._most, self._rest_s = most, rest_s
        self._rendezvous = Rendezvous(names)
        self._durations = Durations(stall_s)
        self._tick_s = min(1.0, max(0.02, stall_s / 8))
        self._in_flight = 0
        self._waiting: deque[_Waiting] = deque()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopped = False
        self.copies = 0  # second sendings of overdue requests

    async def complete(self, request: Request, trail: Trail | None = None) -> Reply:
        """The first answer. Raises `TeacherError`; with `trail` the next call knows what this one met.

        Raises `Stopped` when the pool was stopped before there was a place.
        """
        trail = trail or Trail()
        endpoint = self._choose(request, trail.failed) or await self._turn(request, trail.failed)
        sending = Sending(request, endpoint, trail)
        try:
            return await self._send(sending)
        except TeacherError:
            if sending.copy is None:
                raise
            return await sending.copy
        finally:
            if sending.copy is not None:
                sending.copy.cancel()

    async def probe(self) -> ProbeResult:
        """The first endpoint that answers; the others rest. Raises `SetupError` when none does, or models differ."""
        answers = await asyncio.gather(*(item.teacher.probe() for item in self._endpoints), return_exceptions=True)
        found = [item for item in answers if isinstance(item, ProbeResult)]
        for endpoint, answer in zip(self._endpoints, answers, strict=True):
            if isinstance(answer, SetupError):
                self._rest(endpoint)
            elif isinstance(answer, BaseException):
                raise answer
        if not found:
            raise SetupError("; ".join(str(item) for item in answers), hint="no endpoint answers: hornbook doctor")
        if len({item.model for item in found}) > 1:
            told = ", ".join(f"{item.endpoint} serves {item.model}" for item in found)
            raise SetupError(f"the endpoints serve different models: {told}", hint="one dataset has one teacher")
        return found[0]

    async def close(self) -> None:
        """End what runs beside the requests, and give connections back."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await asyncio.gather(*(item.teacher.close() for item in self._endpoints))

    def stop(self) -> None:
        """Send nothing more: who waits for a place is told so, what is in flight is finished."""
        self._stopped = True
        for waiting in self._waiting:
            if not waiting.place.done():
                waiting.place.set_exception(Stopped())
        self._waiting.clear()

    def elsewhere(self, trail: Trail) -> bool:
        """Whether a request that failed may be sent again at once, to an endpoint that is not to blame."""
        now = time.monotonic()
        return any(item is not trail.failed and item.room(now) for item in self._endpoints)

    def states(self) -> list[EndpointState]:
        """How each endpoint stands."""
        return [item.state() for item in self._endpoints]

    async def _send(self, sending: Sending) -> Reply:
        """One sending, whose place was promised before. The reply may be that of its copy."""
        endpoint, request = sending.endpoint, sending.request
        endpoint.sendings.add(sending)
        self._run("watch", self._watch)
        try:
            async with asyncio.timeout(request.demands.timeout_s) as sending.scope:
                reply = await endpoint.teacher.complete(request)
            self._durations.add(time.monotonic() - sending.begun)
            endpoint.answers(reply)
            return reply
        except TimeoutError:
            if sending.reply is not None:
                return sending.reply
            raise self._failed(sending, _late(sending)) from None
        except TeacherError as error:
            raise self._failed(sending, error) from None
        except SetupError as error:
            if not endpoint.answered or not self._others(endpoint):
                raise
            told = TeacherError("server_error", str(error), retryable=True)  # its server was replaced by another
            raise self._failed(sending, told) from error
        finally:
            endpoint.sendings.discard(sending)
            self._leave(endpoint)

    def _failed(self, sending: Sending, error: TeacherError) -> TeacherError:
        sending.trail.failed = sending.endpoint
        sending.trail.overdue += error.reason == "stalled"
        if sending.endpoint.fails(error, sending.begun, blamed=sending.overdue):
            self._rest(sending.endpoint)
        if error.retry_after_s:
            asyncio.get_running_loop().call_later(error.retry_after_s, self._wake)
        return error

    async def _copy(self, original: Sending) -> Reply:
        """The same request at another endpoint; its answer ends the original."""
        endpoint = await self._turn(original.request, original.endpoint, copy=True)
        self.copies += 1
        reply = await self._send(Sending(original.request, endpoint, original.trail, is_copy=True))
        original.reply = reply
        original.cut()
        return reply

    def _choose(self, request: Request, avoided: Endpoint | None, *, copy: bool = False) -> Endpoint | None:
        """Promise a place at the endpoint that suits best; None when there is no room now.

        `avoided` is taken when it alone has room, but not for a copy while there is another that is awake.
        """
        if self._in_flight >= self._most:
            return None
        now = time.monotonic()
        open_to = [item for item in self._endpoints if item.room(now)]
        others = [item for item in open_to if item is not avoided]
        if others or (copy and avoided is not None and self._others(avoided)):
            open_to = others
        if open_to:
            chosen = open_to[0] if len(open_to) == 1 else self._preferred(request, open_to)
        elif all(item.resting for item in self._endpoints):
            chosen = min(self._endpoints, key=lambda item: item.rests_until)  # so that nothing is stuck
        else:
            return None
        chosen.in_flight += 1
        self._in_flight += 1
        return chosen

    def _preferred(self, request: Request, open_to: Sequence[Endpoint]) -> Endpoint:
        """The first in the beginning's ranking that has no more than its share; without one, the least busy."""
        start = beginning(request.messages)
        if start is not None:
            width = sum(item.window.limit for item in self._endpoints if not item.resting)
            for place in self._rendezvous.ranking(start):
                endpoint = self._endpoints[place]
                share = BOUND * (self._in_flight + 1) * endpoint.window.limit / width
                if endpoint in open_to and endpoint.in_flight + 1 <= math.ceil(share):
                    return endpoint
        return min(open_to, key=lambda item: item.in_flight / item.window.limit)

    async def _turn(self, request: Request, avoided: Endpoint | None, *, copy: bool = False) -> Endpoint:
        """Wait for a place, in the order of coming; copies before the rest."""
        if self._stopped:
            raise Stopped
        waiting = _Waiting(request, avoided, copy, asyncio.get_running_loop().create_future())
        if copy:
            self._waiting.appendleft(waiting)
        else:
            self._waiting.append(waiting)
        self._run("watch", self._watch)
        self._wake()
        try:
            return await waiting.place
        except asyncio.CancelledError:
            if waiting.place.done() and not waiting.place.cancelled():
                self._leave(waiting.place.result())
            raise

    def _leave(self, endpoint: Endpoint) -> None:
        endpoint.in_flight -= 1
        self._in_flight -= 1
        if self._waiting:
            self._wake()

    def _wake(self) -> None:
        """Give free places to those who wait."""
        for waiting in list(self._waiting):
            if self._in_flight >= self._most:
                return
            if not waiting.place.done():  # else it was cancelled
                endpoint = self._choose(waiting.request, waiting.avoided, copy=waiting.copy)
                if endpoint is None:
                    if waiting.copy:
                        continue  # the endpoint that it must avoid may have room for those behind it
                    return
                waiting.place.set_result(endpoint)
            self._waiting.remove(waiting)

    def _others(self, endpoint: Endpoint) -> list[Endpoint]:
        return [item for item in self._endpoints if item is not endpoint and not item.resting]

    async def _watch(self) -> None:
        """Lives while something is in flight or waits, and costs one look a tick."""
        while self._in_flight or self._waiting:
            now, limit, silence = time.monotonic(), self._durations.limit(), self._durations.silence()
            for endpoint in self._endpoints:
                if endpoint.silent_s(now) > silence and self._others(endpoint):
                    self._set_aside(endpoint)
                for sending in list(endpoint.sendings):
                    if now - sending.begun > limit * 2**sending.trail.overdue:
                        self._is_overdue(sending, now - sending.begun > 2 * limit * 2**sending.trail.overdue)
            self._wake()
            await asyncio.sleep(self._tick_s)

    def _is_overdue(self, sending: Sending, doubly: bool) -> None:
        """A copy elsewhere where there is an elsewhere; else, or when it is twice as late, it is cut off."""
        if not sending.overdue and sending.endpoint.blame():
            self._rest(sending.endpoint)
        sending.overdue = True
        if doubly or sending.is_copy or not self._others(sending.endpoint):
            sending.cut()
        else:
            self._hedge(sending)

    def _set_aside(self, endpoint: Endpoint) -> None:
        """It hangs: what it has in flight is sent elsewhere too, and it may still answer."""
        self._rest(endpoint)
        for sending in endpoint.sendings:
            self._hedge(sending)

    def _hedge(self, sending: Sending) -> None:
        if sending.copy is None and not sending.is_copy:
            sending.copy = asyncio.create_task(self._copy(sending))
            sending.copy.add_done_callback(lambda task: task.cancelled() or task.exception())

    def _rest(self, endpoint: Endpoint) -> None:
        if endpoint.resting:
            return
        endpoint.rest(time.monotonic() + self._rest_s)
        self._run(endpoint.name, lambda: self._revive(endpoint))

    async def _revive(self, endpoint: Endpoint) -> None:
        """Look after each rest whether it answers again; a first request then shows whether it works."""
        rest = self._rest_s
        while endpoint.resting:
            await asyncio.sleep(rest)
            if not endpoint.resting:
                return
            if await _answers(endpoint.teacher):
                endpoint.on_trial()
                self._wake()
                return
            rest = min(REST_LIMIT_S, rest * 2)
            endpoint.rests_until = time.monotonic() + rest

    def _run(self, name: str, work: Callable[[], object]) -> None:
        """Have one task of this name."""
        task = self._tasks.get(name)
        if task is None or task.done():
            self._tasks[name] = asyncio.create_task(work())  # type: ignore[arg-type]


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request that waits for a place; a copy never waits for the endpoint of its original."""

    request: Request
    avoided: Endpoint | None
    copy: bool
    place: asyncio.Future[Endpoint]


async def _answers(teacher: Teacher) -> bool:
    try:
        await teacher.probe()
    except SetupError:
        return False
    return True


def _late(sending: Sending) -> TeacherError:
    if sending.overdue:
        return TeacherError("stalled", "no reply, long after its fellows had theirs", retryable=True)
    return TeacherError("timeout", f"no reply in {sending.request.demands.timeout_s:.0f} s", retryable=True)
