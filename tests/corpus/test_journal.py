"""The journal: what was synced is read back once and in order, whatever was cut, flipped, refused or raced after it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.errors import SetupError, StateError
from corpus.journal import FRAME, JournalWriter, read_journal
from corpus.local_store import Disk, LocalStore
from corpus.store import Store

RECORDS = st.lists(
    st.fixed_dictionaries({"text": st.text(max_size=40), "n": st.integers(-(2**53), 2**53)}), max_size=12
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def items(place: Store) -> list[int]:
    return [record["n"] for record in read_journal(place)]


def filled(folder: Path, count: int, **options: Any) -> JournalWriter:
    writer = JournalWriter(LocalStore(folder), "w", **options)
    for number in range(count):
        writer.append({"n": number, "text": f"text of {number}"})
    writer.sync()
    return writer


@quick
@given(RECORDS, st.sets(st.integers(0, 12)), st.integers(1, 200), st.booleans())
def test_what_was_synced_is_read_back_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, records: list, syncs: set[int], seal_bytes: int, close: bool
) -> None:
    place = LocalStore(tmp_path_factory.mktemp("journal"))
    writer = JournalWriter(place, "w", seal_bytes=seal_bytes)
    for number, record in enumerate(records):
        writer.append(record)
        if number in syncs:
            writer.sync()
            assert list(read_journal(place)) == records[: number + 1]
    if close:
        writer.close()
        assert not [name for name in place.names() if name.endswith(".open")]
    else:
        writer.sync()
    assert list(read_journal(place)) == records


def test_every_kind_of_store_keeps_a_journal(store: Store) -> None:
    for name in ("a", "b"):
        writer = JournalWriter(store, name)
        for number in range(5):
            writer.append({"n": number})
            writer.sync()
        writer.close()
    assert items(store) == [0, 1, 2, 3, 4] * 2


def test_a_tail_torn_at_any_byte_costs_only_the_records_that_it_tore(tmp_path: Path) -> None:
    filled(tmp_path, 6)
    segment = next(tmp_path.glob("*.open"))
    whole = segment.read_bytes()
    ends, place = [0], 0
    while place < len(whole):
        place += FRAME.size + FRAME.unpack_from(whole, place)[0]
        ends.append(place)
    for size in range(len(whole) + 1):
        segment.write_bytes(whole[:size])
        assert items(LocalStore(tmp_path)) == list(range(sum(end <= size for end in ends[1:])))
        segment.write_bytes(whole[:size] + bytes(40))  # a file system may leave zeros where data never arrived
        assert items(LocalStore(tmp_path)) == list(range(sum(end <= size for end in ends[1:])))


def test_a_flipped_bit_in_a_sealed_segment_is_always_found_and_named(tmp_path: Path) -> None:
    filled(tmp_path, 3).close()
    segment = next(tmp_path.glob("*.seg"))
    whole = segment.read_bytes()
    for place in range(len(whole)):
        for bit in range(8):
            segment.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
            with pytest.raises(StateError, match=segment.name) as caught:
                items(LocalStore(tmp_path))
            assert caught.value.exit_code == 6


def test_a_sealed_segment_that_was_cut_inside_a_record_is_found(tmp_path: Path) -> None:
    filled(tmp_path, 3).close()
    segment = next(tmp_path.glob("*.seg"))
    whole = segment.read_bytes()
    first = FRAME.size + FRAME.unpack_from(whole, 0)[0]
    for size in range(first + 1, 2 * first):
        segment.write_bytes(whole[:size])
        with pytest.raises(StateError, match=segment.name):
            items(LocalStore(tmp_path))


def test_a_flipped_bit_in_an_open_segment_never_makes_another_record(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    segment = next(tmp_path.glob("*.open"))
    whole = segment.read_bytes()
    for place in range(len(whole)):
        segment.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        assert items(LocalStore(tmp_path)) in ([], [0], [0, 1])


def test_writers_of_one_name_at_once_get_fences_of_their_own(store: Store) -> None:
    writers: list[JournalWriter] = []
    threads = [threading.Thread(target=lambda: writers.append(JournalWriter(store, "w"))) for _ in range(4)]
    if store.url.startswith("memory"):  # fsspec's memory looks and then writes: nothing there is conditional
        for thread in threads:
            thread.start()
            thread.join()
    else:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(writer.fence for writer in writers) == [0, 1, 2, 3]


def test_a_second_holder_of_a_fence_is_refused(store: Store) -> None:
    first, second = JournalWriter(store, "w"), JournalWriter(store, "w")
    second.fence = first.fence
    first.append({"n": 1})
    second.append({"n": 2})
    first.sync()
    with pytest.raises((StateError, SetupError), match=r"w-0000-000000"):
        second.sync()
    assert items(store) == [1]


class Refusing(Disk):
    """Refuses one operation, after it did half of it."""

    def __init__(self, operation: str) -> None:
        self.operation, self.times = operation, 1

    def _refuse(self, operation: str) -> None:
        if operation == self.operation and self.times:
            self.times -= 1
            raise OSError(28, "No space left on device")

    def append(self, file: int, data: bytes) -> None:
        if self.operation == "append" and self.times:
            os.write(file, data[: len(data) // 2])
        self._refuse("append")
        super().append(file, data)

    def flush(self, file: int) -> None:
        self._refuse("flush")
        super().flush(file)

    def create(self, path: Path) -> int:
        self._refuse("create")
        return super().create(path)

    def rename(self, source: Path, target: Path) -> None:
        self._refuse("rename")
        super().rename(source, target)


@pytest.mark.parametrize("operation", ["create", "append", "flush", "rename"])
@pytest.mark.parametrize("after", [0, 2])
def test_a_full_disk_costs_no_record_before_or_after_it(tmp_path: Path, operation: str, after: int) -> None:
    disk = Refusing(operation)
    disk.times = 0
    place = LocalStore(tmp_path, disk)
    writer = JournalWriter(place, "w")
    for number in range(after):
        writer.append({"n": number})
        writer.sync()
    disk.times = 1
    writer.append({"n": after})
    if operation == "rename" or (operation == "create" and after):
        writer.sync()  # the segment is open already, or not sealed yet
    else:
        with pytest.raises(SetupError, match="No space left on device"):
            writer.sync()
        assert items(place) == list(range(after))
        writer.sync()
    disk.times = int(operation == "rename")
    writer.append({"n": after + 1})
    if operation == "rename":
        with pytest.raises(SetupError, match="No space left on device"):
            writer.close()
    writer.close()
    assert items(place) == list(range(after + 2))


@pytest.mark.parametrize("operation", ["append", "flush"])
def test_nothing_is_added_behind_what_a_failed_write_may_have_left(
    tmp_path: Path, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that refuses to write may refuse to cut as well."""

    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "ftruncate", refuse)
    disk = Refusing("nothing yet")
    place = LocalStore(tmp_path, disk)
    writer = JournalWriter(place, "w")
    writer.append({"n": 0})
    writer.sync()
    disk.operation = operation
    writer.append({"n": 1})
    with pytest.raises(SetupError):
        writer.sync()
    left = next(tmp_path.glob("*.open")).read_bytes()
    writer.append({"n": 2})
    writer.close()
    assert sorted(tmp_path.glob("*.open"))[0].read_bytes() == left
    assert items(place)[-2:] == [1, 2]
    assert set(items(place)) == {0, 1, 2}


def test_a_segment_that_is_sealed_while_it_is_read_is_read(tmp_path: Path) -> None:
    writer = filled(tmp_path, 4)

    class Late(LocalStore):
        def names(self, prefix: str = "") -> list[str]:
            found = super().names(prefix)
            writer.close()
            return found

    assert items(Late(tmp_path)) == [0, 1, 2, 3]
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".fence", ".seg"]


def test_a_big_segment_is_sealed_and_the_next_begun(tmp_path: Path) -> None:
    writer = JournalWriter(LocalStore(tmp_path), "w", seal_bytes=100)
    for number in range(10):
        writer.append({"n": number, "text": "x" * 30})
        writer.sync()
    assert len(list(tmp_path.glob("*.seg"))) == 5
    assert items(LocalStore(tmp_path)) == list(range(10))


def test_many_share_one_sync_and_each_returns_only_after_it(tmp_path: Path) -> None:
    class Slow(Disk):
        flushes = 0

        def flush(self, file: int) -> None:
            time.sleep(0.02)
            super().flush(file)
            self.flushes += 1
            covered.append(len(items(LocalStore(tmp_path))))

    covered: list[int] = []
    disk = Slow()
    writer = JournalWriter(LocalStore(tmp_path, disk), "w", sync_ms=10)

    async def one(number: int) -> None:
        await asyncio.sleep(number % 7 / 100)
        await writer.append_durable({"n": number})
        assert number in items(LocalStore(tmp_path))[: covered[-1]]

    async def go() -> None:
        await asyncio.gather(*(one(number) for number in range(70)))

    asyncio.run(go())
    assert sorted(items(LocalStore(tmp_path))) == list(range(70))
    assert 1 < disk.flushes < 15


def test_a_failed_sync_is_told_to_everybody_who_waits_for_it(tmp_path: Path) -> None:
    writer = JournalWriter(LocalStore(tmp_path, Refusing("flush")), "w", sync_ms=10)

    async def go() -> list[Any]:
        return await asyncio.gather(*(writer.append_durable({"n": n}) for n in range(5)), return_exceptions=True)

    assert [type(found) for found in asyncio.run(go())] == [SetupError] * 5
    writer.sync()
    assert items(LocalStore(tmp_path)) == list(range(5))


def test_appending_does_not_wait_for_a_slow_disk(tmp_path: Path) -> None:
    class Stuck(Disk):
        def flush(self, file: int) -> None:
            assert go_on.wait(10)

    go_on = threading.Event()
    writer = JournalWriter(LocalStore(tmp_path, Stuck()), "w")
    writer.append({"n": 0})
    thread = threading.Thread(target=writer.sync)
    thread.start()
    time.sleep(0.05)
    begun = time.monotonic()
    writer.append({"n": 1})
    assert time.monotonic() - begun < 1
    go_on.set()
    thread.join()
    writer.sync()
    assert items(LocalStore(tmp_path)) == [0, 1]


def test_on_an_object_store_a_full_segment_is_put_before_its_time() -> None:
    from corpus.store import open_store

    place = open_store(f"memory://journal-{time.monotonic_ns()}")
    writer = JournalWriter(place, "w", seal_bytes=50, seal_s=30)

    async def go() -> None:
        async with asyncio.timeout(5):
            await writer.append_durable({"n": 0, "text": "x" * 60})

    asyncio.run(go())
    assert items(place) == [0]
