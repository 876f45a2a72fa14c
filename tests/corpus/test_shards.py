"""Partitions: named by their content, written once, and refused when a byte is not the committed one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from corpus import shards
from corpus.errors import StateError
from corpus.local_store import LocalStore
from corpus.shards import Partition, read_partition, write_partition
from corpus.store import Store

TABLE = pa.table({"id": ["a", "b", "c"], "text": ["één", "two", ""], "n": pa.array([1, None, 3], pa.int32())})


@pytest.fixture(autouse=True)
def _as_in_a_new_process() -> Iterator[None]:
    shards._verified.clear()
    yield
    shards._verified.clear()


def test_rows_come_back_as_they_were_written(store: Store) -> None:
    partition = write_partition(store, "documents", 3, TABLE)
    assert read_partition(store, partition) == TABLE
    assert read_partition(store, partition, ["text"]).column_names == ["text"]
    assert (partition.rows, partition.bytes) == (3, len(store.read(partition.name)))


def test_two_writers_of_the_same_rows_agree_and_of_others_do_not_meet(store: Store) -> None:
    first, again = (write_partition(store, "documents", 0, TABLE) for _ in range(2))
    other = write_partition(store, "documents", 0, TABLE.slice(1))
    assert first == again
    assert other.name != first.name
    assert read_partition(store, first) == TABLE
    assert store.names() == sorted([first.name, other.name])


def test_every_changed_byte_is_found_and_the_file_named(tmp_path: Path) -> None:
    place = LocalStore(tmp_path)
    partition = write_partition(place, "documents", 0, TABLE)
    path, whole = tmp_path / partition.name, (tmp_path / partition.name).read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        with pytest.raises(StateError, match=partition.name) as caught:
            read_partition(place, partition)
        assert caught.value.exit_code == 6
    path.write_bytes(whole)
    assert read_partition(place, partition) == TABLE


def test_a_file_that_was_cut_is_found_even_after_it_was_read_whole(tmp_path: Path) -> None:
    place = LocalStore(tmp_path)
    partition = write_partition(place, "documents", 0, TABLE)
    read_partition(place, partition)
    (tmp_path / partition.name).write_bytes((tmp_path / partition.name).read_bytes()[:-1])
    with pytest.raises(StateError, match=partition.name):
        read_partition(place, partition)


def test_a_missing_file_is_named(store: Store) -> None:
    partition = write_partition(store, "documents", 0, TABLE)
    store.delete(partition.name)
    with pytest.raises(StateError, match=f"{partition.name}.* gone") as caught:
        read_partition(store, partition)
    assert caught.value.exit_code == 6


def test_a_damaged_file_left_under_the_name_is_not_taken_for_ours(tmp_path: Path) -> None:
    place = LocalStore(tmp_path)
    partition = write_partition(place, "documents", 0, TABLE)
    path = tmp_path / partition.name
    path.write_bytes(bytes(path.stat().st_size))
    shards._verified.clear()
    with pytest.raises(StateError, match=partition.name):
        write_partition(place, "documents", 0, TABLE)


def test_a_name_that_leaves_the_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    with pytest.raises(StateError, match="is not a name inside a store"):
        read_partition(LocalStore(tmp_path / "run"), Partition("../secret", "documents", 1, 1, ""))
