"""The pool: the least busy endpoint is asked, a dead one rests and is tried again, one dataset has one teacher."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from corpus.errors import SetupError
from generator.pool import FAULTS, Pool
from generator.reply import ProbeResult, Reply, TeacherError
from tests.fakes.asking import ScriptedTeacher, request_of


class Endpoint(ScriptedTeacher):
    def __init__(self, act, model: str = "m", down: bool = False) -> None:
        super().__init__(act)
        self._model, self._down = model, down

    async def probe(self) -> ProbeResult:
        if self._down:
            raise SetupError("nobody answers")
        return ProbeResult("url", self._model, self._model, 2048, 0.0)


async def fine(request, before):
    await asyncio.sleep(0.001)
    return "x"


async def dead(request, before):
    raise TeacherError("connection", "refused", retryable=True)


async def ask(pool: Pool, count: int) -> Counter[str]:
    done: Counter[str] = Counter()
    for number in range(count):
        try:
            await pool.complete(request_of(number))
            done["reply"] += 1
        except TeacherError as error:
            done[error.reason] += 1
    return done


def test_requests_go_to_the_least_busy_endpoint():
    async def slow(request, before):
        await asyncio.sleep(0.05)
        return "x"

    async def go():
        quick, lazy = Endpoint(fine), Endpoint(slow)
        pool, window = Pool([quick, lazy]), asyncio.Semaphore(4)

        async def one(number: int) -> Reply:
            async with window:
                return await pool.complete(request_of(number))

        await asyncio.gather(*(one(number) for number in range(100)))
        return len(quick.sent), len(lazy.sent)

    quick, lazy = asyncio.run(go())
    assert quick + lazy == 100
    assert quick > 4 * lazy > 0


def test_a_dead_endpoint_rests_after_a_few_faults_and_is_tried_again_later():
    async def go():
        gone, alive = Endpoint(dead), Endpoint(fine)
        pool = Pool([gone, alive], rest_s=0.1)
        first = await ask(pool, 50)
        await asyncio.sleep(0.15)
        gone._act = fine
        await ask(pool, 10)
        return first, len(gone.sent)

    first, sent = asyncio.run(go())
    assert first == {"connection": FAULTS, "reply": 50 - FAULTS}
    assert sent > FAULTS


def test_a_fault_of_one_request_is_not_held_against_the_endpoint():
    async def refuses(request, before):
        raise TeacherError("overlong", "too long", retryable=False)

    async def go():
        picky, pool = Endpoint(refuses), None
        pool = Pool([picky])
        return await ask(pool, 10), pool._members[0].rests

    assert asyncio.run(go()) == ({"overlong": 10}, 0)


def test_an_endpoint_that_hangs_is_cut_off_and_rests_too():
    async def hangs(request, before):
        await asyncio.sleep(60)

    async def go():
        pool = Pool([Endpoint(hangs)])
        for number in range(FAULTS):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(pool.complete(request_of(number)), 0.01)
        return pool._members[0].rests

    assert asyncio.run(go()) == 1


def test_when_all_rest_the_one_to_wake_first_is_asked_so_that_nothing_is_stuck():
    async def go():
        one, two = Endpoint(dead), Endpoint(dead)
        pool = Pool([one, two], rest_s=60)
        await ask(pool, 20)
        one._act = two._act = fine
        return await ask(pool, 5)

    assert asyncio.run(go()) == {"reply": 5}


def test_a_probe_passes_over_an_endpoint_that_is_down_and_refuses_two_models():
    up, down, other = Endpoint(fine), Endpoint(fine, down=True), Endpoint(fine, model="n")
    assert asyncio.run(Pool([down, up]).probe()).model == "m"
    with pytest.raises(SetupError, match="nobody answers"):
        asyncio.run(Pool([down]).probe())
    with pytest.raises(SetupError, match="different models"):
        asyncio.run(Pool([up, other]).probe())
