"""The window: full while there is work, durable before it counts, drained on stop, and never stuck on one request."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest

from corpus.errors import SetupError
from corpus.journal import JournalWriter, read_journal
from corpus.store import open_store
from generator.ask import Asker, ask, outcomes_of
from generator.reply import Failure, Reply, TeacherError, outcome_of
from generator.stall import ENOUGH, Durations
from tests.fakes.asking import ScriptedTeacher, request_of


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "journal")


def journalled(store) -> list:
    return [outcome_of(record) for record in read_journal(store)]


def run(store, act, count, *, window=8, retries=3, **options):
    """Ask `count` requests of a scripted teacher; outcomes, stats, teacher."""

    async def go():
        teacher, journal = ScriptedTeacher(act), JournalWriter(store, "w")
        asker = Asker(teacher, journal, window=window, retries=retries, **options)
        outcomes = [item async for item in outcomes_of(map(request_of, range(count)), asker, ahead=window + 256)]
        journal.close()
        return outcomes, asker.stats, teacher

    return asyncio.run(go())


async def at_once(request, before):
    await asyncio.sleep(0)
    return f"text of {request.key}"


def test_a_reply_is_on_disk_before_it_counts(store):
    async def go():
        asker = Asker(ScriptedTeacher(at_once), JournalWriter(store, "w"), window=4, retries=0)
        async for outcome in outcomes_of(map(request_of, range(20)), asker, ahead=8):
            assert outcome in journalled(store), "counted before it was durable"

    asyncio.run(go())


def test_the_window_is_never_overrun_and_always_full_while_there_is_work(store):
    """By time, not by count: refilling takes one turn of the event loop, and a sampler sees just that turn."""
    live, changes = 0, []

    def move(change: int) -> None:
        nonlocal live
        live += change
        changes.append((time.perf_counter(), live))

    async def act(request, before):
        move(+1)
        await asyncio.sleep(0.004 * (request.seed % 7))
        move(-1)
        return "x"

    outcomes, stats, _ = run(store, act, 800, window=16)
    full = [place for place, (_, count) in enumerate(changes) if count == 16]
    between = changes[full[0] : full[-1] + 1]
    area = sum(count * (after - at) for (at, count), (after, _) in itertools.pairwise(between))
    assert (len(outcomes), max(count for _, count in changes), stats.most_in_flight) == (800, 16, 16)
    assert area / (between[-1][0] - between[0][0]) > 0.97 * 16
    assert stats.mean_in_flight > 0.8 * 16


def test_memory_is_flat_because_requests_are_drawn_as_they_are_needed(store):
    drawn = 0

    def source():
        nonlocal drawn
        for number in range(100):
            drawn += 1
            yield request_of(number)

    async def go():
        asker = Asker(ScriptedTeacher(at_once), JournalWriter(store, "w"), window=4, retries=0)
        done = 0
        async for _ in outcomes_of(source(), asker, ahead=8):
            done += 1
            assert drawn <= done + 8

    asyncio.run(go())


def test_a_failure_of_the_machinery_is_tried_again_and_then_told_as_retryable(store):
    async def act(request, before):
        if request.seed == 3:
            raise TeacherError("server_error", "500", retryable=True, retry_after_s=0.001)
        if request.seed == 5 and before < 2:
            raise TeacherError("malformed", "half", retryable=True, retry_after_s=0.001)
        return "x"

    outcomes, stats, teacher = run(store, act, 10, retries=3)
    failures = [item for item in outcomes if isinstance(item, Failure)]
    assert failures == [Failure("key-3", "server_error", "500", True, 4)]
    assert (stats.answered, dict(stats.failed)) == (9, {"server_error": 1})
    assert dict(stats.retried) == {"server_error": 3, "malformed": 2}
    assert (teacher.sent["key-3"], teacher.sent["key-5"], stats.sent) == (4, 3, 8 + 4 + 3)


def test_a_fault_of_the_request_is_not_sent_again(store):
    async def act(request, before):
        raise TeacherError("overlong", "2,049 tokens", retryable=False)

    outcomes, _, teacher = run(store, act, 3)
    assert {(item.reason, item.retryable, item.tries) for item in outcomes} == {("overlong", False, 1)}
    assert set(teacher.sent.values()) == {1}


def test_what_refuses_everybody_ends_the_ask_and_leaves_nothing_running(store):
    async def act(request, before):
        if request.seed == 2:
            raise SetupError("the endpoint answers 401")
        await asyncio.sleep(30)

    async def go():
        with pytest.raises(SetupError, match="401"):
            await ask(map(request_of, range(50)), ScriptedTeacher(act), JournalWriter(store, "w"), window=8, retries=3)
        return [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done()]

    begun = time.monotonic()
    left = asyncio.run(go())
    assert not [task for task in left if "Asker.one" in repr(task)]
    assert time.monotonic() - begun < 5


def test_stop_drains_what_is_in_flight_commits_it_and_sends_no_more(store):
    async def act(request, before):
        await asyncio.sleep(0.1)
        return "x"

    async def go():
        teacher = ScriptedTeacher(act)
        asker = Asker(teacher, JournalWriter(store, "w"), window=4, retries=3)
        outcomes = []
        async for outcome in outcomes_of(map(request_of, range(100)), asker, ahead=8):
            outcomes.append(outcome)
            asker.stop()
        return outcomes, teacher

    outcomes, teacher = asyncio.run(go())
    assert len(outcomes) == len(teacher.sent) <= 8
    assert sorted(item.request_key for item in journalled(store)) == sorted(item.request_key for item in outcomes)


def test_stop_does_not_wait_for_a_pause_that_the_server_asked_for(store):
    async def act(request, before):
        raise TeacherError("rate_limited", "429", retryable=True, retry_after_s=60.0)

    async def go():
        asker = Asker(ScriptedTeacher(act), JournalWriter(store, "w"), window=2, retries=9)
        asyncio.get_running_loop().call_later(0.1, asker.stop)
        return [item async for item in outcomes_of(map(request_of, range(5)), asker, ahead=4)]

    begun = time.monotonic()
    outcomes = asyncio.run(go())
    assert time.monotonic() - begun < 5
    assert {item.retryable for item in outcomes} == {True}


def test_a_hang_is_cut_off_after_twice_what_its_fellows_took_and_sent_again(store):
    async def act(request, before):
        await asyncio.sleep(60 if request.seed == 5 and before == 0 else 0.01)
        return "x"

    begun = time.monotonic()
    outcomes, stats, _ = run(store, act, 60, window=8, stall_s=0.3)
    assert time.monotonic() - begun < 5
    assert (len(outcomes), dict(stats.retried)) == (60, {"stalled": 1})


def test_a_machine_that_turns_slow_is_waited_for_and_not_cut_off_for_ever(store):
    async def act(request, before):
        await asyncio.sleep(0.01 if request.seed < 40 else 0.7)
        return "x"

    outcomes, stats, _ = run(store, act, 48, window=8, retries=4, stall_s=0.2)
    assert [item for item in outcomes if isinstance(item, Failure)] == []
    assert stats.retried["stalled"] > 0, "the slow ones were never cut off: the test shows nothing"


def test_nothing_is_overdue_while_too_little_is_known():
    durations = Durations(1.0)
    for _ in range(ENOUGH - 1):
        durations.add(3.0)
    assert durations.limit() == durations.silence() == float("inf")
    durations.add(3.0)
    assert (durations.limit(), durations.silence()) == (6.0, 3.75)


def test_a_request_over_its_time_limit_is_a_timeout(store):
    async def act(request, before):
        await asyncio.sleep(60)

    async def go():
        asker = Asker(ScriptedTeacher(act), JournalWriter(store, "w"), window=1, retries=0)
        return await asker.one(request_of(1, timeout_s=0.1))

    assert asyncio.run(go()).reason == "timeout"


def test_batches_share_one_window(store):
    async def go():
        asker = Asker(ScriptedTeacher(at_once), JournalWriter(store, "w"), window=3, retries=0)
        batches = [asyncio.gather(*(asker.one(request_of(start + i)) for i in range(10))) for start in (0, 10, 20)]
        outcomes = [item for batch in await asyncio.gather(*batches) for item in batch]
        return outcomes, asker.stats

    outcomes, stats = asyncio.run(go())
    assert len({item.request_key for item in outcomes if isinstance(item, Reply)}) == 30
    assert stats.most_in_flight == 3


def test_a_request_that_meets_one_outage_after_another_is_answered(store, monkeypatch):
    """Each outage lasts for more sendings than there are retries, and between them others are answered."""
    monkeypatch.setattr("generator.ask.PAUSE_S", 0.001)
    monkeypatch.setattr("generator.ask.OUTAGE_PAUSE_S", 0.01)

    async def act(request, before):
        if request.key == "key-0" and before < 40:
            if before == 20:
                await others_answered.wait()
            raise TeacherError("connection", "nobody listens", retryable=True)
        if request.key == "key-1" and before < 10:
            raise TeacherError("connection", "nobody listens", retryable=True)
        others_answered.set()
        return "text"

    others_answered = asyncio.Event()
    outcomes, stats, _ = run(store, act, 2, retries=3)
    assert all(isinstance(item, Reply) for item in outcomes)
    assert stats.retried == {"connection": 50}


def test_a_request_that_alone_breaks_its_connection_comes_to_its_end(store, monkeypatch):
    monkeypatch.setattr("generator.ask.PAUSE_S", 0.001)

    async def act(request, before):
        if request.key == "key-0":
            raise TeacherError("connection", "cut", retryable=True)
        await asyncio.sleep(0.01)
        return "text"

    outcomes, _, teacher = run(store, act, 400, retries=3, window=2)
    assert [item.reason for item in outcomes if isinstance(item, Failure)] == ["connection"]
    assert teacher.sent["key-0"] < 50
