"""The manifest: it exists when the stage is complete, the first one stays, and no byte below it changes unseen."""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import shards
from corpus.errors import StateError
from corpus.ids import digest
from corpus.local_store import LocalStore
from corpus.manifest import (
    MANIFEST,
    Balance,
    Manifest,
    commit_manifest,
    dataset_hash,
    load_manifest,
    stage_fingerprint,
    table_of,
    verify_stage,
)
from corpus.shards import write_partition
from corpus.store import Store

TABLE = pa.table({"id": ["a", "b"], "text": ["x" * 50, "y" * 50]})


def manifest(**changes: Any) -> Manifest:
    plain = {"name": "n", "version": "1", "stage": "s", "fingerprint": "f", "balance": Balance(made=2, kept=2),
             "facts": {"a": {"value": 0.1}}, "config": {"é": [1, None, 2.5]}}  # fmt: skip
    return Manifest(**{**plain, **changes})


def complete(place: Store) -> Manifest:
    parts = tuple(write_partition(place, "documents", index, TABLE.slice(index)) for index in range(2))
    made = manifest(partitions=parts)
    assert commit_manifest(place, made)
    return made


@pytest.fixture(autouse=True)
def _as_in_a_new_process() -> Iterator[None]:
    shards._verified.clear()
    yield
    shards._verified.clear()


def test_a_stage_is_complete_when_its_manifest_is_there_and_not_before(store: Store) -> None:
    assert load_manifest(store) is None
    assert verify_stage(store) == [f"{store.url}: no manifest, so the stage is not complete"]
    made = complete(store)
    assert load_manifest(store) == made
    assert verify_stage(store) == []
    assert table_of(store, made, "documents").num_rows == 3


def test_the_first_manifest_stays(store: Store) -> None:
    complete(store)
    assert not commit_manifest(store, manifest(fingerprint="another"))
    found = load_manifest(store)
    assert found is not None
    assert found.fingerprint == "f"


@given(*[st.integers(0, 9)] * 6)
def test_a_manifest_that_does_not_balance_is_never_written(
    taken: int, made: int, repeated: int, kept: int, rejected: int, unused: int
) -> None:
    from corpus.store import open_store

    place = open_store(f"memory://balance/{uuid.uuid4().hex}")
    balance = Balance(taken=taken, made=made, repeated=repeated, kept=kept, rejected=rejected, unused=unused)
    even = taken + made + repeated == kept + rejected + unused
    if even:
        assert commit_manifest(place, manifest(balance=balance))
    else:
        with pytest.raises(StateError, match=r"s: .* documents went in"):
            commit_manifest(place, manifest(balance=balance))
    assert place.exists(MANIFEST) == even


def test_any_changed_byte_of_a_manifest_is_found_and_the_file_named(tmp_path: Path) -> None:
    place, draw = LocalStore(tmp_path), random.Random(1)
    complete(place)
    path = tmp_path / MANIFEST
    whole = path.read_bytes()
    for at in range(len(whole)):
        for value in {whole[at] ^ 1, whole[at] ^ 32, *b' \n\t"0', draw.randrange(256)} - {whole[at]}:
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            with pytest.raises(StateError, match=MANIFEST) as caught:
                load_manifest(place)
            assert caught.value.exit_code == 6


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"manifest": 3, "checksum": ""}', b"\xff", b"null", b"[" * 5000])
def test_what_is_no_manifest_is_said_to_be_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(data)
    with pytest.raises(StateError, match=MANIFEST):
        load_manifest(LocalStore(tmp_path))


@pytest.mark.parametrize("change", [{"schema_version": 2}, {"extra": 1}])
def test_a_manifest_of_another_version_is_refused_though_its_checksum_fits(tmp_path: Path, change: dict) -> None:
    body = orjson.loads(orjson.dumps(manifest().model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)) | change
    data = orjson.dumps({"checksum": digest(body), "manifest": body}, option=orjson.OPT_INDENT_2)
    (tmp_path / MANIFEST).write_bytes(data)
    with pytest.raises(StateError, match=f"schema version 2|{next(iter(change))}"):
        load_manifest(LocalStore(tmp_path))


def test_every_wrong_partition_is_found_and_named(tmp_path: Path) -> None:
    place = LocalStore(tmp_path)
    made = complete(place)
    first, second = (tmp_path / item.name for item in made.partitions)
    whole = first.read_bytes()
    for at in range(0, len(whole), 7):
        first.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        assert len(problems := verify_stage(place)) == 1
        assert made.partitions[0].name in problems[0]
    first.write_bytes(second.read_bytes())
    assert len(verify_stage(place)) == 1
    first.unlink()
    second.write_bytes(b"")
    assert [item.name in said for item, said in zip(made.partitions, verify_stage(place), strict=True)] == [True, True]


def test_verifying_reads_again_what_this_process_has_already_read(tmp_path: Path) -> None:
    place = LocalStore(tmp_path)
    made = complete(place)
    table_of(place, made, "documents")
    path = tmp_path / made.partitions[0].name
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert len(verify_stage(place)) == 1


ROWS = st.lists(st.tuples(st.text(max_size=5), st.text(max_size=20)), max_size=12)


def tables(rows: list[tuple[str, str]], cuts: list[int]) -> list[pa.Table]:
    edges = [0, *sorted(cut % (len(rows) + 1) for cut in cuts), len(rows)]
    parts = [rows[start:end] for start, end in itertools.pairwise(edges)]
    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    return [pa.Table.from_pylist([{"id": a, "text": b} for a, b in part], schema=schema) for part in parts]


@given(ROWS, st.lists(st.integers(0, 12), max_size=3), st.randoms())
def test_the_hash_of_a_dataset_does_not_know_order_or_partitions(rows: list, cuts: list, draw: random.Random) -> None:
    mixed = draw.sample(rows, len(rows))
    assert dataset_hash(tables(rows, [])) == dataset_hash(tables(mixed, cuts))


@given(ROWS.filter(bool), st.data())
def test_the_hash_of_a_dataset_knows_every_row_and_every_copy(rows: list, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    before = dataset_hash(tables(rows, []))
    key, text = rows[at]
    for changed in ([*rows, rows[at]], rows[:at] + rows[at + 1 :], [*rows[:at], (key, text + "x"), *rows[at + 1 :]],
                    [*rows[:at], (key + "x", text), *rows[at + 1 :]]):  # fmt: skip
        assert dataset_hash(tables(changed, [])) != before


@given(st.text(max_size=8), st.integers(0, 8), st.integers(0, 8))
def test_the_hash_of_a_dataset_knows_where_a_column_ends(letters: str, first: int, second: int) -> None:
    one, other = ((letters[:cut], letters[cut:]) for cut in (first, second))
    assert (dataset_hash(tables([one], [])) == dataset_hash(tables([other], []))) == (one == other)


def test_a_fingerprint_knows_each_of_its_parts_and_no_order_of_keys() -> None:
    parts: list[Any] = [{"a": 1, "b": [2]}, {"read": "x"}, {"t": "h"}, "s/1"]
    base = stage_fingerprint(*parts)
    assert stage_fingerprint({"b": [2], "a": 1}, *parts[1:]) == base
    for index, other in enumerate([{"a": 1, "b": [3]}, {"read": "y"}, {"t": "i"}, "s/2"]):
        assert stage_fingerprint(*parts[:index], other, *parts[index + 1 :]) != base
    assert stage_fingerprint({}, {"a": "1"}, {}, "") != stage_fingerprint({"a": "1"}, {}, {}, "")
