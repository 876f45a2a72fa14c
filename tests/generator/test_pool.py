"""The pool: who is asked, how much, when it rests and comes back; one answer a request, however often it was sent."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import pytest

from corpus.errors import SetupError
from generator.adaptive_window import AdaptiveWindow
from generator.endpoint import FAULTS, Trail
from generator.pool import Pool
from generator.prefix import PREFIX_BYTES, Rendezvous, beginning
from generator.reply import ProbeResult, Reply, TeacherError
from generator.stall import ENOUGH
from tests.fakes.asking import ScriptedTeacher, request_of


class Endpoint(ScriptedTeacher):
    def __init__(self, act, model: str = "m", down: bool = False) -> None:
        super().__init__(act)
        self._model, self.down = model, down
        self.live = self.most = 0

    async def complete(self, request):
        self.live += 1
        self.most = max(self.most, self.live)
        try:
            return await super().complete(request)
        finally:
            self.live -= 1

    async def probe(self) -> ProbeResult:
        if self.down:
            raise SetupError("nobody answers")
        return ProbeResult("url", self._model, self._model, 2048, 0.0)


async def fine(request, before):
    await asyncio.sleep(0.001)
    return "x"


async def dead(request, before):
    raise TeacherError("connection", "refused", retryable=True)


async def hangs(request, before):
    await asyncio.sleep(60)


async def ask(pool: Pool, numbers) -> Counter[str]:
    """One after another."""
    done: Counter[str] = Counter()
    for number in numbers:
        try:
            await pool.complete(request_of(number))
            done["reply"] += 1
        except TeacherError as error:
            done[error.reason] += 1
    return done


async def crowd(pool: Pool, count: int, window: int, make=request_of) -> list[Reply | TeacherError]:
    """All of them, `window` at a time."""
    places = asyncio.Semaphore(window)

    async def one(number: int) -> Reply | TeacherError:
        async with places:
            try:
                return await pool.complete(make(number))
            except TeacherError as error:
                return error

    return await asyncio.gather(*(one(number) for number in range(count)))


def test_requests_go_to_the_least_busy_endpoint():
    async def slow(request, before):
        await asyncio.sleep(0.05)
        return "x"

    async def go():
        quick, lazy = Endpoint(fine), Endpoint(slow)
        await crowd(Pool([quick, lazy], most=4), 100, 4)
        return len(quick.sent), len(lazy.sent)

    quick, lazy = asyncio.run(go())
    assert quick + lazy == 100
    assert quick > 4 * lazy > 0


def test_a_dead_endpoint_rests_after_a_few_faults_and_comes_back_once_it_answers():
    async def go():
        gone, alive = Endpoint(dead, down=True), Endpoint(fine)
        pool = Pool([gone, alive], most=8, rest_s=0.05)
        first = await ask(pool, range(50))
        await asyncio.sleep(0.1)
        await ask(pool, range(50, 60))
        while_down = len(gone.sent)
        gone._act, gone.down = fine, False
        await asyncio.sleep(0.4)
        last = await crowd(pool, 100, 8)
        return first, while_down, len(gone.sent), last

    first, while_down, sent, last = asyncio.run(go())
    assert first == {"connection": FAULTS, "reply": 50 - FAULTS}
    assert while_down == FAULTS, "it was asked before it answered a probe"
    assert sent > while_down + 20
    assert all(isinstance(item, Reply) for item in last)


def test_one_that_answers_probes_and_hangs_on_requests_gets_a_single_one_at_each_trial():
    async def go():
        broken, alive = Endpoint(hangs), Endpoint(fine)
        pool = Pool([broken, alive], most=16, stall_s=0.1, rest_s=0.1)
        await crowd(pool, 40, 8)
        before, broken.most = sum(broken.sent.values()), 0
        begun = asyncio.get_running_loop().time()
        replies = []
        while asyncio.get_running_loop().time() - begun < 0.8:
            replies += await crowd(pool, 20, 8)
        return before, broken, replies

    before, broken, replies = asyncio.run(go())
    assert all(isinstance(item, Reply) for item in replies)
    assert sum(broken.sent.values()) > before, "it was never tried again: the test shows nothing"
    assert broken.most == 1


def test_a_fault_of_one_request_is_not_held_against_the_endpoint():
    async def refuses(request, before):
        raise TeacherError("overlong", "too long", retryable=False)

    async def go():
        pool = Pool([Endpoint(refuses)])
        return await ask(pool, range(10)), pool.states()[0].rests

    assert asyncio.run(go()) == ({"overlong": 10}, 0)


def test_when_all_rest_the_one_to_wake_first_is_asked_so_that_nothing_is_stuck():
    async def go():
        one, two = Endpoint(dead), Endpoint(dead)
        pool = Pool([one, two], rest_s=60)
        await ask(pool, range(20))
        one._act = two._act = fine
        return await ask(pool, range(20, 25))

    assert asyncio.run(go()) == {"reply": 5}


def test_a_probe_passes_over_an_endpoint_that_is_down_and_refuses_two_models():
    up, down, other = Endpoint(fine), Endpoint(fine, down=True), Endpoint(fine, model="n")
    assert asyncio.run(Pool([down, up]).probe()).model == "m"
    with pytest.raises(SetupError, match="nobody answers"):
        asyncio.run(Pool([down]).probe())
    with pytest.raises(SetupError, match="different models"):
        asyncio.run(Pool([up, other]).probe())


def test_a_request_that_failed_is_sent_to_another_endpoint():
    async def go():
        broken, alive = Endpoint(dead), Endpoint(fine)
        pool, trail = Pool([broken, alive]), Trail()
        with pytest.raises(TeacherError):
            await pool.complete(request_of(1), trail)
        assert pool.elsewhere(trail)
        return await pool.complete(request_of(1), trail)

    assert isinstance(asyncio.run(go()), Reply)


def test_an_overdue_request_gets_a_copy_elsewhere_and_the_first_answer_counts():
    async def slow_once(request, before):
        await asyncio.sleep(30 if request.seed == 99 else 0.001)
        return "from the first"

    async def other(request, before):
        await asyncio.sleep(0.001)
        return "from the other"

    async def go():
        first, second = Endpoint(slow_once), Endpoint(other)
        pool = Pool([first, second], stall_s=1.0)
        await crowd(pool, 2 * ENOUGH, 2)
        pool._endpoints[1].in_flight += 5  # so that the first is the least busy
        begun = time.monotonic()
        reply = await asyncio.wait_for(pool.complete(request_of(99)), 5)
        assert time.monotonic() - begun < 1.8, "the original was not ended by its copy's answer"
        pool._endpoints[1].in_flight -= 5
        return reply, pool.copies, first.live, second.live, [item.in_flight for item in pool.states()]

    reply, copies, first, second, in_flight = asyncio.run(go())
    assert (reply.text, copies) == ("from the other", 1)
    assert (first, second, in_flight) == (0, 0, [0, 0]), "the loser was not cut off, or its place was kept"


def test_the_original_wins_when_it_answers_before_its_copy_which_is_then_cut_off():
    async def late(request, before):
        await asyncio.sleep(0.3 if request.seed == 99 else 0.001)
        return "from the first"

    async def never(request, before):
        await asyncio.sleep(30 if request.seed == 99 else 0.001)
        return "from the other"

    async def go():
        first, second = Endpoint(late), Endpoint(never)
        pool = Pool([first, second], stall_s=0.2)
        await crowd(pool, 2 * ENOUGH, 2)
        pool._endpoints[1].in_flight += 5
        reply = await asyncio.wait_for(pool.complete(request_of(99)), 5)
        pool._endpoints[1].in_flight -= 5
        await asyncio.sleep(0.01)
        return reply, pool.copies, second.live

    reply, copies, live = asyncio.run(go())
    assert (reply.text, copies, live) == ("from the first", 1, 0)


def test_a_hung_endpoint_costs_its_sendings_only_and_the_window_moves_to_the_others():
    async def go():
        endpoints = [Endpoint(fine) for _ in range(3)]
        pool = Pool(endpoints, most=24, stall_s=0.2, rest_s=30)
        await crowd(pool, 200, 24)
        endpoints[0]._act = hangs
        before, begun = sum(endpoints[0].sent.values()), asyncio.get_running_loop().time()
        replies = await crowd(pool, 600, 24)
        return replies, sum(endpoints[0].sent.values()) - before, asyncio.get_running_loop().time() - begun, pool

    replies, lost, seconds, pool = asyncio.run(go())
    assert all(isinstance(item, Reply) for item in replies)
    assert 0 < lost <= 12, "it got more than its share of the window before it was set aside"
    assert pool.copies <= lost
    assert seconds < 3
    assert pool.states()[0].resting


def test_a_hung_endpoint_is_found_by_its_silence_long_before_a_request_of_it_is_overdue():
    async def go():
        endpoints = [Endpoint(fine), Endpoint(fine)]
        pool = Pool(endpoints, most=16, stall_s=60, rest_s=60)
        await crowd(pool, 100, 16)
        endpoints[0]._act = hangs
        return await asyncio.wait_for(crowd(pool, 200, 16), 20), pool.copies

    replies, copies = asyncio.run(go())
    assert all(isinstance(item, Reply) for item in replies)
    assert 0 < copies <= 10


def test_copies_never_take_more_places_than_there_are():
    live = most = 0

    async def counted(request, before):
        nonlocal live, most
        live += 1
        most = max(most, live)
        try:
            await asyncio.sleep(60 if request.seed % 10 == 3 and before == 0 else 0.002)
        finally:
            live -= 1
        return "x"

    async def go():
        pool = Pool([Endpoint(counted), Endpoint(counted)], most=16, stall_s=0.05, rest_s=0.05)
        return await crowd(pool, 300, 16), pool.copies

    replies, copies = asyncio.run(go())
    assert len(replies) == 300
    assert copies > 0
    assert most <= 16


def test_too_many_requests_halve_the_share_and_good_replies_give_it_back():
    window = AdaptiveWindow(64, 64)
    for _ in range(10):
        window.congested(float("inf"))
    assert window.limit == 1
    for _ in range(2_000):
        window.answered(100, full=True)
    assert window.limit > 16
    early = AdaptiveWindow(64, 64)
    early.congested(1e12)
    early.congested(0.0)
    assert early.limit == 32, "requests of one round halved it twice"
    idle = AdaptiveWindow(4, 64)
    for _ in range(100):
        idle.answered(100, full=False)
    assert idle.limit == 4, "it grew although nobody wanted more"


def test_a_busy_endpoint_is_given_less_and_what_it_refuses_goes_elsewhere():
    async def limited(request, before):
        if small.live > 4:
            raise TeacherError("rate_limited", "429", retryable=True)
        await asyncio.sleep(0.004)
        return "x"

    async def roomy(request, before):
        await asyncio.sleep(0.004)
        return "x"

    small, large = Endpoint(limited), Endpoint(roomy)

    async def go():
        return await crowd(Pool([small, large], most=32), 800, 32)

    refused = sum(isinstance(item, TeacherError) for item in asyncio.run(go()))
    assert 0 < refused < 40
    assert sum(large.sent.values()) > sum(small.sent.values()) > 30


def prompt(group: int, number: int):
    request = request_of(number)
    text = f"Group {group}. " + "The same long beginning. " * 60 + f"Subject {number}."
    object.__setattr__(request, "messages", ({"role": "user", "content": text},))
    return request


def test_prompts_that_begin_alike_meet_the_same_endpoint_and_none_gets_more_than_its_share():
    places: dict[str, Counter[str]] = {}

    class Named(Endpoint):
        def __init__(self, name):
            super().__init__(fine)
            self.url = name

        async def complete(self, request):
            places.setdefault(request.messages[0]["content"][:9], Counter())[self.url] += 1
            return await super().complete(request)

    async def go(groups, count):
        places.clear()
        pool = Pool([Named(name) for name in "abcd"], most=32)
        await crowd(pool, count, 32, lambda number: prompt(number % groups, number))
        return [dict(item) for item in places.values()]

    many = asyncio.run(go(16, 960))
    kept = sum(max(found.values()) for found in many) / 960
    assert kept > 0.6, f"{kept:.2f} of the requests met the endpoint of their group; by chance it is near .3"
    (one,) = asyncio.run(go(1, 960))
    assert max(one.values()) / 960 < 0.45, "all shared one beginning, and one endpoint had to do all the work"


def test_a_ranking_is_the_same_everywhere_and_loses_nothing_but_the_share_of_who_goes():
    four, three = Rendezvous(tuple("abcd")), Rendezvous(tuple("abc"))
    starts = [beginning(prompt(group, 0).messages) for group in range(200)]
    assert len(set(starts)) == 200
    moved = sum(four.ranking(start)[0] != three.ranking(start)[0] for start in starts if four.ranking(start)[0] != 3)
    assert moved == 0
    assert beginning(({"role": "user", "content": "x" * (PREFIX_BYTES - 10)},)) is None
    assert beginning(prompt(1, 1).messages) == beginning(prompt(1, 2).messages)
