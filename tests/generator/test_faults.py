"""Faults of a server process: every row comes out with the expected text, none is charged for the machinery."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter

import pytest

from corpus.journal import JournalWriter, read_journal
from corpus.store import open_store
from generator.ask import Asker, outcomes_of
from generator.pool import Pool
from generator.reply import Failure, Reply, outcome_of
from generator.teachers.openai_endpoint import OpenAITeacher
from tests.fakes.asking import expected_text, request_of
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.teacher_server import Fault


def ask_all(urls, store, count, *, window=64, retries=6, stall_s=1.0, outage_s=60.0, beside=None):
    """Outcomes and stats of `count` requests; `beside(loop)` runs when the asking begins."""

    async def go():
        members = [OpenAITeacher(url, served_model="fake-teacher") for url in urls]
        teacher = Pool(members, most=window, stall_s=stall_s, rest_s=0.2)
        journal = JournalWriter(store, "w")
        asker = Asker(teacher, journal, window=window, retries=retries, outage_s=outage_s)
        if beside:
            beside(asyncio.get_running_loop())
        requests = map(request_of, range(count))
        outcomes = [item async for item in outcomes_of(requests, asker, ahead=window + 256)]
        await teacher.close()
        journal.close()
        return outcomes, asker.stats

    return asyncio.run(go())


def check_complete(outcomes, store, count):
    assert sorted(item.request_key for item in outcomes) == sorted(f"key-{number}" for number in range(count))
    assert [item for item in outcomes if isinstance(item, Failure)] == []
    assert all(item.text == expected_text(request_of(int(item.request_key[4:]))) for item in outcomes)
    assert sorted(map(repr, map(outcome_of, read_journal(store)))) == sorted(map(repr, outcomes))


def test_two_thousand_rows_come_out_of_one_500_one_broken_body_and_one_hang(tmp_path):
    faults = [Fault("error_500", "<100>"), Fault("broken_json", "<700>"), Fault("hang", "<1300>")]
    store = open_store(tmp_path)
    begun = time.monotonic()
    with FakeTeacher(*faults) as fake:
        outcomes, stats = ask_all([fake.url], store, 2_000)
        counts = fake.counts()
    check_complete(outcomes, store, 2_000)
    assert counts["injected"] == {"error_500": 1, "broken_json": 1, "hang": 1}
    assert dict(stats.retried) == {"server_error": 1, "malformed": 1, "stalled": 1}
    assert counts["requests"] == stats.sent == 2_003
    assert time.monotonic() - begun < 45, "the hang held the job open"


STORMS = ["error_503", "rate_limit", "reset", "cut", "bad_utf8", "html"]


@pytest.mark.parametrize("kind", STORMS)
def test_a_storm_passes_and_no_row_is_charged_for_it(tmp_path, kind):
    store = open_store(tmp_path)
    with FakeTeacher(Fault(kind, times=60, skip=40)) as fake:
        outcomes, stats = ask_all([fake.url], store, 150, window=16)
    check_complete(outcomes, store, 150)
    assert sum(stats.retried.values()) == 60


def test_a_permanent_500_costs_its_own_row_only_and_is_told_as_retryable(tmp_path, monkeypatch):
    monkeypatch.setattr("generator.ask.PAUSE_S", 0.01)
    with FakeTeacher(Fault("error_500", "<17>", times=-1)) as fake:
        outcomes, stats = ask_all([fake.url], open_store(tmp_path), 200, retries=3)
    failures = [item for item in outcomes if isinstance(item, Failure)]
    assert [(item.request_key, item.reason, item.retryable, item.tries) for item in failures] == [
        ("key-17", "server_error", True, 4)
    ]
    assert stats.answered == 199


def test_a_request_that_the_server_refuses_is_its_own_fault(tmp_path):
    with FakeTeacher(Fault("overlong", "<3>", times=-1), Fault("invalid", "<4>", times=-1)) as fake:
        outcomes, stats = ask_all([fake.url], open_store(tmp_path), 20)
    failures = {item.request_key: item for item in outcomes if isinstance(item, Failure)}
    assert (failures["key-3"].reason, failures["key-4"].reason) == ("overlong", "refused_by_server")
    assert {item.retryable for item in failures.values()} == {False}
    assert stats.sent == 20


def test_a_teacher_that_is_killed_and_comes_back_much_later_costs_no_row(tmp_path):
    """Waiting for it takes far longer than two tries: an outage is a matter of time, because a restart takes a minute."""
    store, first = open_store(tmp_path), FakeTeacher(delay_s=0.02)
    second = []

    def beside(loop):
        def swap():
            first.kill()
            time.sleep(3)
            second.append(FakeTeacher(delay_s=0.0, port=first.port))

        loop.call_later(0.3, lambda: loop.run_in_executor(None, swap))

    with first:
        outcomes, stats = ask_all([first.url], store, 1_500, window=32, retries=1, beside=beside)
    with second[0]:
        check_complete(outcomes, store, 1_500)
        assert stats.retried["connection"] > 0


def test_a_teacher_that_never_comes_back_is_given_up_in_time_and_told_as_retryable(tmp_path):
    with FakeTeacher() as gone:
        pass
    begun = time.monotonic()
    outcomes, _ = ask_all([gone.url], open_store(tmp_path), 20, retries=1, outage_s=1.0)
    assert {(item.reason, item.retryable) for item in outcomes} == {("connection", True)}
    assert len(outcomes) == 20
    assert time.monotonic() - begun < 20


def test_a_row_that_always_breaks_its_connection_is_no_outage_while_others_are_answered(tmp_path):
    with FakeTeacher(Fault("reset", "<7>", times=-1), delay_s=0.02) as fake:
        outcomes, _ = ask_all([fake.url], open_store(tmp_path), 3_000, window=16, retries=2)
    failures = [item for item in outcomes if isinstance(item, Failure)]
    assert [(item.request_key, item.reason, item.tries) for item in failures] == [("key-7", "connection", 3)]


def test_a_dead_endpoint_of_two_is_dropped_without_a_row_lost(tmp_path):
    store = open_store(tmp_path)
    with FakeTeacher(delay_s=0.01) as dead, FakeTeacher(delay_s=0.01) as alive:

        def beside(loop):
            loop.call_later(0.3, dead.kill)

        outcomes, stats = ask_all([dead.url, alive.url], store, 1_500, window=32, beside=beside)
    check_complete(outcomes, store, 1_500)
    served = [item.endpoint for item in outcomes if isinstance(item, Reply)]
    assert served.count(dead.url) > 20
    assert served.count(alive.url) > 700
    assert stats.sent < 1_500 + 150, "the dead endpoint went on being asked"


def test_one_of_three_is_killed_and_one_hangs_and_no_row_is_lost(tmp_path):
    """The hung one goes on answering its list of models, as a server whose engine hangs does."""
    store = open_store(tmp_path)
    with FakeTeacher(delay_s=0.02) as killed, FakeTeacher(delay_s=0.02) as hung, FakeTeacher(delay_s=0.02) as well:

        def beside(loop):
            loop.call_later(0.4, killed.kill)
            loop.call_later(0.6, lambda: loop.run_in_executor(None, hung.set_faults, Fault("hang", times=-1)))

        urls = [killed.url, hung.url, well.url]
        outcomes, stats = ask_all(urls, store, 3_000, window=48, beside=beside)
    check_complete(outcomes, store, 3_000)
    served = Counter(item.endpoint for item in outcomes)
    assert min(served.values()) > 50, "one was never asked: the test shows nothing"
    assert stats.sent < 3_000 + 2 * 48, "the dead ones went on being asked"


def test_a_hundred_mixed_faults_cost_no_row_and_each_row_has_one_outcome(tmp_path):
    kinds = [
        "error_500",
        "error_503",
        "rate_limit",
        "reset",
        "cut",
        "broken_json",
        "html",
        "bad_utf8",
        "hang",
        "empty_choices",
    ]
    draw = random.Random(5)
    faults = [
        Fault(kind, f"<{number}>") for kind, number in zip(kinds * 10, draw.sample(range(100, 1_000), 100), strict=True)
    ]
    store = open_store(tmp_path)
    with (
        FakeTeacher(*faults, delay_s=0.005) as one,
        FakeTeacher(*faults, delay_s=0.005) as two,
        FakeTeacher(*faults, delay_s=0.005) as three,
    ):
        outcomes, _ = ask_all([one.url, two.url, three.url], store, 1_000, window=48)
        injected = sum((Counter(item.counts()["injected"]) for item in (one, two, three)), Counter())
    check_complete(outcomes, store, 1_000)
    assert set(injected) == set(kinds)
    assert injected.total() >= 100
