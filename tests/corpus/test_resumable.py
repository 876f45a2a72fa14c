"""A pass that was killed works on nothing twice, and trusts no file that is not whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from corpus.errors import StateError
from corpus.local_store import LocalStore
from corpus.resumable import begin, clear, resumed
from corpus.shards import read_partition


class Worker:
    """Squares, and dies at an item."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.seen: list[int] = []
        self._dies_at = dies_at

    def __call__(self, item: int) -> pa.Table:
        if item == self._dies_at:
            raise KeyboardInterrupt
        self.seen.append(item)
        return pa.table({"square": [item * item]})


def squares(store: LocalStore, worker: Worker, run: Callable[..., Iterable[Any]] = map) -> list[int]:
    parts = resumed(store, "squares", worker, range(5), run)
    return [read_partition(store, part)["square"][0].as_py() for part in parts]


def test_what_was_made_before_a_kill_is_not_made_again(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        squares(store, Worker(dies_at=3))
    second = Worker()
    assert squares(store, second) == [0, 1, 4, 9, 16]
    assert second.seen == [3, 4]


def test_results_come_in_the_order_of_the_items_whoever_is_first(tmp_path: Path) -> None:
    def backwards(work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        return [work(item) for item in list(items)[::-1]]

    assert squares(LocalStore(tmp_path), Worker(), backwards) == [0, 1, 4, 9, 16]


def test_a_damaged_file_is_refused_and_named(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    squares(store, Worker())
    name = store.names("squares/00002")[0]
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-1] + b"x")
    with pytest.raises(StateError, match=name):
        squares(store, Worker())


def test_another_plan_starts_with_an_empty_folder_and_the_same_one_goes_on(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    begin(store, {"files": ["a"]})
    squares(store, Worker())
    begin(store, {"files": ["a"]})
    assert len(store.names("squares/")) == 5
    begin(store, {"files": ["b"]})
    assert store.names() == ["plan.json"]
    clear(store)
    assert store.names() == []
