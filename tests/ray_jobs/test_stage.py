from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import StateError
from corpus.manifest import Balance
from corpus.store import open_store
from ray_jobs.stage import Made, Stage, complete, finished


def counted(config: dict, calls: list[int], balance: Balance | None = None) -> Stage:
    def work(store: object) -> Made:
        calls.append(1)
        return Made(balance=balance or Balance(made=2, kept=1, rejected=1))

    return Stage("filter", config, {}, work)


def test_a_complete_stage_is_not_done_again(tmp_path: Path) -> None:
    calls: list[int] = []
    folder = open_store(tmp_path)
    first = complete(counted({"a": 1}, calls), folder, "x@1")
    assert complete(counted({"a": 1}, calls), folder, "x@1") == first
    assert calls == [1]


def test_a_changed_recipe_under_the_same_version_stops_with_the_field(tmp_path: Path) -> None:
    folder = open_store(tmp_path)
    complete(counted({"filters": {"quality": 0.5}}, []), folder, "x@1")
    with pytest.raises(StateError, match=r"filters\.quality: 0\.5 → 0\.7"):
        finished(counted({"filters": {"quality": 0.7}}, []), folder)


def test_a_stage_that_loses_a_document_commits_nothing(tmp_path: Path) -> None:
    folder = open_store(tmp_path)
    with pytest.raises(StateError, match="3 documents went in and 2 came out"):
        complete(counted({}, [], Balance(taken=3, kept=2)), folder, "x@1")
    assert finished(counted({}, []), folder) is None
