"""Replies of other runs serve by request key, whatever happens to those runs; nothing else does."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from corpus.store import open_store
from generator.recall import Elsewhere
from generator.reply import Failure, Reply
from tests.fakes.asking import request_of
from tests.fakes.stored_runs import commit_replies, journal_replies, reply_to

TEACHER = "fake-teacher@main"


@pytest.fixture
def warned() -> list[str]:
    return []


def test_replies_of_committed_runs_and_of_journals_are_found_by_their_key(tmp_path: Path, warned: list[str]) -> None:
    store = open_store(tmp_path)
    commit_replies(store, "a@1", [reply_to(f"key-{number}") for number in range(50)])
    journal_replies(store, "a@2", [reply_to("key-60")])
    journal_replies(store, "b@1/round-2", [reply_to("key-61")], sealed=False)
    other = Elsewhere(store, "mine@1", TEACHER, warned.append)
    found = {number: other.find(request_of(number)) for number in (0, 17, 49, 60, 61, 62)}
    assert {number: reply and reply.request_key for number, reply in found.items()} == {
        0: "key-0", 17: "key-17", 49: "key-49", 60: "key-60", 61: "key-61", 62: None,
    }  # fmt: skip
    assert found[17] == reply_to("key-17")
    assert other.holders(["key-60", "key-3", "nobody"]) == ["a@1", "a@2"]
    assert warned == []


def test_own_replies_those_of_other_teachers_and_failures_do_not_count(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    commit_replies(store, "mine@1", [reply_to("key-1")])
    commit_replies(store, "other@1", [reply_to("key-2")], {"teacher": {"model": "another", "revision": "main"}})
    commit_replies(store, "b@1", [Failure("key-3", "overlong", "too long for that server", False, 1)])
    other = Elsewhere(store, "mine@1", TEACHER)
    assert [other.find(request_of(number)) for number in (1, 2, 3)] == [None] * 3
    assert len(other) == 0


def test_a_cut_reply_serves_no_higher_limit_and_a_whole_one_no_lower_than_its_length(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    commit_replies(store, "a@1", [reply_to("key-1", finish="length", tokens=256), reply_to("key-2", tokens=200)])
    other = Elsewhere(store, "mine@1", TEACHER)

    def served(number: int, limit: int) -> bool:
        return other.find(request_of(number, max_tokens=limit)) is not None

    assert [served(1, limit) for limit in (200, 256, 257)] == [True, True, False]
    assert [served(2, limit) for limit in (199, 200, 4096)] == [False, True, True]


def test_of_several_the_whole_reply_serves(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    commit_replies(store, "a@1", [reply_to("key-1", finish="length", tokens=256)])
    commit_replies(store, "b@1", [reply_to("key-1", tokens=100, text="Whole.")])
    commit_replies(store, "c@1", [reply_to("key-1", finish="length", tokens=300)])
    found = Elsewhere(store, "mine@1", TEACHER).find(request_of(1))
    assert found is not None
    assert found.text == "Whole."


def test_a_damaged_run_is_left_out_with_a_warning_and_the_others_serve(tmp_path: Path, warned: list[str]) -> None:
    store = open_store(tmp_path)
    commit_replies(store, "a@1", [reply_to("key-1")])
    commit_replies(store, "b@1", [reply_to("key-2")])
    journal_replies(store, "c@1", [reply_to("key-3")])
    commit_replies(store, "d@1", [reply_to("key-4")])
    (tmp_path / "a@1/generate/manifest.json").write_bytes(b"{}")
    (partition,) = (tmp_path / "b@1/generate/replies").glob("*.parquet")
    partition.write_bytes(partition.read_bytes()[:-40])
    (segment,) = (tmp_path / "c@1/generate/journal").glob("*.seg")
    segment.write_bytes(segment.read_bytes()[:-1] + b"x")
    other = Elsewhere(store, "mine@1", TEACHER, warned.append)
    assert [other.find(request_of(number)) is not None for number in (1, 2, 3, 4)] == [False, False, False, True]
    assert [text.split(" ")[0] for text in warned] == ["a@1", "b@1", "c@1"]


def test_a_run_that_is_changed_or_goes_away_after_indexing_costs_a_warning(tmp_path: Path, warned: list[str]) -> None:
    store = open_store(tmp_path)
    commit_replies(store, "a@1", [reply_to("key-1"), reply_to("key-2")])
    journal_replies(store, "b@1", [reply_to("key-3")])
    other = Elsewhere(store, "mine@1", TEACHER, warned.append)
    (partition,) = (tmp_path / "a@1/generate/replies").glob("*.parquet")
    data = bytearray(partition.read_bytes())
    data[12] ^= 1
    partition.write_bytes(data)
    (segment,) = (tmp_path / "b@1/generate/journal").glob("*.seg")
    segment.unlink()
    assert [other.find(request_of(number)) for number in (1, 2, 3)] == [None] * 3
    assert [text.split(" ")[0] for text in warned] == ["a@1", "b@1"]


def test_texts_stay_on_the_disk(tmp_path: Path) -> None:
    """40 MB of replies: the index and what is remembered of them takes a small part of it."""
    store = open_store(tmp_path)
    letters = "abcdefghij" * 200
    for run in range(4):
        rows = [reply_to(f"key-{run * 5000 + number}", text=f"{number} {letters}") for number in range(5000)]
        commit_replies(store, f"a@{run}", rows)
    del rows
    tracemalloc.start()
    other = Elsewhere(store, "mine@1", TEACHER)
    found = [other.find(request_of(number)) for number in range(0, 20000, 100)]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(isinstance(item, Reply) for item in found)
    assert len(other) == 20000
    assert most < 8 << 20


def test_a_key_that_only_shares_its_hash_does_not_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path)
    commit_replies(store, "a@1", [reply_to("key-1")])
    monkeypatch.setattr("generator.recall._hash", lambda key: 7)
    other = Elsewhere(store, "mine@1", TEACHER)
    assert other.find(request_of(2)) is None
    assert other.find(request_of(1)) is not None
