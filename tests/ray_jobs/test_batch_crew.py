"""Requests through a provider's batch API: each is paid for once, however often the run is killed."""

from __future__ import annotations

import threading
from collections import deque

import pytest

from corpus.errors import SetupError
from corpus.journal import read_journal
from corpus.local_store import LocalStore
from corpus.store import open_store
from generator.reply import Failure, Reply, outcome_of
from generator.teacher_config import BatchConfig, TeacherConfig
from ray_jobs.batch_crew import FOLDER, BatchCrew
from tests.fakes.asking import expected_text, request_of
from tests.fakes.batch_server import BatchServer


class Queue:
    """A source that is simply emptied."""

    def __init__(self, count: int) -> None:
        self.left = deque(map(request_of, range(count)))

    def take(self, limit: int):
        return [self.left.popleft() for _ in range(min(limit, len(self.left)))]


class Killed(Exception):
    """The process ends here."""


def ask(provider, journal, count, *, size=40, stopping=None):
    config = TeacherConfig(model="fake-teacher", backend="batch", batch=BatchConfig(requests=size, poll_s=0.01))
    outcomes: list = []
    crew = BatchCrew(config, provider.url, "fake-teacher", str(journal))
    try:
        crew.ask(Queue(count), outcomes.extend, stopping or threading.Event())
    finally:
        crew.close()
    return outcomes


def test_each_request_comes_back_as_what_the_teacher_wrote(tmp_path):
    with BatchServer(polls=2) as provider:
        outcomes = ask(provider, tmp_path, 100)
        assert len(provider.batches) == 3
    assert {item.request_key: item.text for item in outcomes} == {
        f"key-{number}": expected_text(request_of(number)) for number in range(100)
    }
    assert sorted(map(repr, map(outcome_of, read_journal(open_store(tmp_path))))) == sorted(map(repr, outcomes))


def test_a_refused_line_is_its_own_fault_and_one_that_is_missing_the_providers(tmp_path):
    with BatchServer(status="expired") as provider:
        provider.refused, provider.lost = ("<3>",), ("<5>",)
        outcomes = {item.request_key: item for item in ask(provider, tmp_path, 10)}
    assert len(outcomes) == 10
    refused, lost = outcomes["key-3"], outcomes["key-5"]
    assert isinstance(refused, Failure)
    assert (refused.reason, refused.retryable) == ("overlong", False)
    assert isinstance(lost, Failure)
    assert (lost.reason, lost.retryable) == ("timeout", True)
    assert sum(isinstance(item, Reply) for item in outcomes.values()) == 8


def test_a_batch_that_the_provider_refuses_ends_the_run_with_its_words(tmp_path):
    with BatchServer(status="failed") as provider, pytest.raises(SetupError, match="no such model"):
        ask(provider, tmp_path, 3)


def test_a_stopped_run_leaves_its_batches_with_the_provider_and_the_next_one_takes_them_up(tmp_path):
    stopping = threading.Event()
    with BatchServer(polls=10**6) as provider:
        threading.Timer(0.5, stopping.set).start()
        assert ask(provider, tmp_path, 60, stopping=stopping) == []
        provider.polls = 1
        outcomes = ask(provider, tmp_path, 60)
        assert sorted(provider.paid()) == sorted(f"key-{number}" for number in range(60))
    assert len(outcomes) == 60


@pytest.mark.parametrize("point", ["before the id is written", "before it is done"])
def test_a_run_that_is_killed_picks_the_same_batch_up_and_pays_once(tmp_path, point, monkeypatch):
    def dies(*_):
        raise Killed

    whole = LocalStore.commit
    with BatchServer() as provider:
        with monkeypatch.context() as patch:
            if point == "before it is done":
                patch.setattr(BatchCrew, "_take_back", dies)
            else:
                patch.setattr(
                    LocalStore, "commit", lambda *given: dies() if given[1].endswith(".id") else whole(*given)
                )
            with pytest.raises(Killed):
                ask(provider, tmp_path, 30)
        outcomes = ask(provider, tmp_path, 30)
        assert sorted(provider.paid()) == sorted(f"key-{number}" for number in range(30)), (
            "a request was paid for twice"
        )
    assert sorted(item.request_key for item in outcomes) == sorted(f"key-{number}" for number in range(30))


def test_a_creation_whose_answer_was_lost_is_found_by_its_mark(tmp_path):
    with BatchServer() as provider:
        provider.deaf_after_create = True
        assert len(ask(provider, tmp_path, 30)) == len(provider.paid()) == 30


def test_a_run_that_died_before_it_handed_a_batch_in_hands_it_in(tmp_path, monkeypatch):
    async def dies(*_):
        raise Killed

    with BatchServer() as provider:
        with monkeypatch.context() as patch:
            patch.setattr("generator.teachers.openai_batch.BatchEndpoint.submit", dies)
            with pytest.raises(Killed):
                ask(provider, tmp_path, 20)
        assert provider.batches == {}
        assert len(ask(provider, tmp_path, 20)) == 20
    assert len([name for name in open_store(tmp_path).names(f"{FOLDER}/") if name.endswith(".done")]) == 2
