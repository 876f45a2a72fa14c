"""Every operation fails once, and every operation is once the last: what is visible is the old state or the new one."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from corpus.errors import SetupError, StateError
from corpus.local_store import Disk, LocalStore
from corpus.manifest import MANIFEST, Balance, Manifest, commit_manifest, load_manifest, verify_stage
from corpus.shards import write_partition
from tests.crash.disks import CountingDisk, DirectDisk, Fault, ForgettingDisk, NoFolderSyncDisk, NoFsyncDisk

TABLE = pa.table({"id": ["a", "b"], "text": ["x" * 500, "y" * 500]})


def commit_stage(store: LocalStore) -> None:
    """Two partitions, then the manifest."""
    parts = tuple(write_partition(store, "documents", index, TABLE) for index in range(2))
    commit_manifest(store, manifest(parts))


def manifest(parts: tuple) -> Manifest:
    return Manifest(
        name="n", version="1", stage="s", fingerprint="f", partitions=parts, balance=Balance(made=4, kept=4)
    )


def broken(folder: Path) -> list[str]:
    """What a reader would find wrong, knowing only what is on disk: a manifest without all that it names."""
    store = LocalStore(folder)
    try:
        found = load_manifest(store)
    except StateError as error:
        return [str(error)]
    return verify_stage(store) if found else []


def attempt(folder: Path, disk: Disk) -> bool:
    """One try that may fail or die; whether it was cut short."""
    try:
        commit_stage(LocalStore(folder, disk))
    except (Fault, SetupError, KeyboardInterrupt):
        return True
    return False


@pytest.mark.parametrize("die", [False, True], ids=["fails", "dies"])
def test_any_operation_may_fail_or_be_the_last(tmp_path: Path, die: bool) -> None:
    counting = CountingDisk()
    attempt(tmp_path / "whole", counting)
    assert counting.done > 15
    for at in range(1, counting.done + 1):
        folder = tmp_path / f"{die}-{at}"
        assert attempt(folder, CountingDisk(at, die=die)), at
        assert broken(folder) == [], f"after operation {at}"
        assert not attempt(folder, Disk())
        assert load_manifest(LocalStore(folder)) is not None
        assert broken(folder) == [], f"resumed after operation {at}"


def test_a_power_cut_after_the_commit_loses_nothing(tmp_path: Path) -> None:
    disk = ForgettingDisk()
    commit_stage(LocalStore(tmp_path / "a/run/stage", disk))
    disk.cut_power(tmp_path)
    assert load_manifest(LocalStore(tmp_path / "a/run/stage")) is not None
    assert broken(tmp_path / "a/run/stage") == []


def test_a_power_cut_at_any_moment_shows_the_old_state_or_the_new(tmp_path: Path) -> None:
    """Also when a driver that died just before left names behind that it had not synced."""
    counting = CountingDisk()
    attempt(tmp_path / "whole/run/stage", counting)
    for at in range(1, counting.done + 1):
        root = tmp_path / str(at)
        root.mkdir()
        machine, stage = ForgettingDisk(), root / "run/stage"
        assert attempt(stage, CountingDisk(at, die=True, under=machine)), at
        assert not attempt(stage, machine)
        machine.cut_power(root)
        assert load_manifest(LocalStore(stage)) is not None, f"lost after a death at operation {at}"
        assert broken(stage) == [], f"after a death at operation {at}"


def test_the_sweep_catches_a_store_that_never_syncs(tmp_path: Path) -> None:
    disk = NoFsyncDisk()
    commit_stage(LocalStore(tmp_path, disk))
    disk.cut_power(tmp_path)
    assert broken(tmp_path)


def test_the_sweep_catches_a_store_that_never_syncs_a_folder(tmp_path: Path) -> None:
    disk = NoFolderSyncDisk()
    commit_stage(LocalStore(tmp_path, disk))
    disk.cut_power(tmp_path)
    assert load_manifest(LocalStore(tmp_path)) is None


def test_the_sweep_catches_a_store_that_writes_the_final_name(tmp_path: Path) -> None:
    counting = DirectDisk()
    attempt(tmp_path / "whole", counting)
    found = []
    for at in range(1, counting.done + 1):
        folder = tmp_path / str(at)
        attempt(folder, DirectDisk(at, die=True))
        found += broken(folder)
    assert found


def test_the_sweep_catches_a_manifest_written_first(tmp_path: Path) -> None:
    found = []
    for at in range(1, 25):
        folder = tmp_path / str(at)
        store = LocalStore(folder, CountingDisk(at, die=True))
        parts = tuple(
            write_partition(LocalStore(tmp_path / "elsewhere"), "documents", index, TABLE) for index in range(2)
        )
        try:
            store.commit(MANIFEST, b"")
            LocalStore(folder).delete(MANIFEST)
            commit_manifest(store, manifest(parts))
            commit_stage(store)
        except (KeyboardInterrupt, Fault):
            pass
        found += broken(folder)
    assert found


def test_a_full_disk_is_named_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    class Full(Disk):
        def write(self, path: Path, data: bytes) -> None:
            path.write_bytes(data[:3])
            raise OSError(28, "No space left on device")

    with pytest.raises(SetupError, match="No space left"):
        commit_stage(LocalStore(tmp_path, Full()))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
