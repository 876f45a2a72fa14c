"""Every operation under the journal fails once, and is once the last: what was promised is there, and there once."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from corpus.errors import SetupError
from corpus.journal import JournalWriter, read_journal
from corpus.local_store import LocalStore
from tests.crash.disks import CountingDisk, Fault, ForgettingDisk, NoFolderSyncDisk

TOTAL = 6


def found(folder: Path) -> list[int]:
    return [record["item"] for record in read_journal(LocalStore(folder))]


def write(store: LocalStore, promised: list[int]) -> None:
    """Append what is missing, a sync for each, in segments of two or three; `promised` grows as syncs return."""
    done = set(found(store.local)) if store.local else set()
    writer = JournalWriter(store, "w", seal_bytes=80)
    for item in range(TOTAL):
        if item not in done:
            writer.append({"item": item, "text": "x" * 10})
            writer.sync()
            promised.append(item)
    writer.close()


def operations(folder: Path) -> int:
    counting = CountingDisk()
    write(LocalStore(folder / "run/journal", counting), [])
    return counting.done


@pytest.mark.parametrize("die", [False, True], ids=["fails", "dies"])
@pytest.mark.parametrize("power", [False, True], ids=["killed", "power cut"])
def test_a_promise_outlives_any_failure_death_and_power_cut(tmp_path: Path, die: bool, power: bool) -> None:
    (count := tmp_path / "count").mkdir()
    last = operations(count)
    assert last > 20
    for at in range(1, last + 1):
        root, promised, machine = tmp_path / str(at), [], ForgettingDisk()
        root.mkdir()
        place = root / "run/journal"
        with contextlib.suppress(Fault, SetupError, KeyboardInterrupt):
            write(LocalStore(place, CountingDisk(at, die=die, under=machine)), promised)
        if power:
            machine.cut_power(root)
        assert set(promised) <= set(found(place)), f"operation {at}: a promised record is gone"
        write(LocalStore(place), [])
        assert sorted(found(place)) == list(range(TOTAL)), f"operation {at}"


def test_the_sweep_catches_a_journal_whose_folder_is_never_synced(tmp_path: Path) -> None:
    machine, promised = NoFolderSyncDisk(), []
    write(LocalStore(tmp_path / "journal", machine), promised)
    machine.cut_power(tmp_path)
    assert len(promised) == TOTAL
    assert not (tmp_path / "journal").exists()
