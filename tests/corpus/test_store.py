"""The store: the first commit of a name wins, nothing is half-visible, no name leaves the folder."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corpus.errors import SetupError, StateError
from corpus.local_store import Disk, LocalStore
from corpus.object_store import ObjectStore
from corpus.store import TEMPORARY, Store, checked, open_store


def test_the_first_commit_of_a_name_wins_and_the_second_is_told(store: Store) -> None:
    assert store.commit("a/b", b"first")
    assert not store.commit("a/b", b"second")
    assert store.read("a/b") == b"first"
    assert store.exists("a/b")


def test_replace_overwrites_and_delete_forgets(store: Store) -> None:
    store.replace("x", b"one")
    store.replace("x", b"two")
    assert store.read("x") == b"two"
    store.delete("x")
    store.delete("x")
    assert not store.exists("x")
    with pytest.raises(FileNotFoundError):
        store.read("x")


def test_names_are_those_of_this_folder_alone(store: Store) -> None:
    for name in ("b/2", "b/1", "a", "ab/3"):
        store.child("in").commit(name, b"x")
    store.child("inside").commit("other", b"x")
    assert store.child("in").names() == ["a", "ab/3", "b/1", "b/2"]
    assert store.child("in").names("b/") == ["b/1", "b/2"]
    assert store.child("in").child("b").names() == ["1", "2"]
    assert store.child("nothing").names() == []
    assert store.names() == ["in/a", "in/ab/3", "in/b/1", "in/b/2", "inside/other"]


PARTS = st.one_of(st.sampled_from(["", ".", "..", "a", "...", "~", f"{TEMPORARY}x", "\\", "c:"]), st.text(max_size=4))


@given(st.lists(PARTS, min_size=1, max_size=4).map("/".join))
@example("../outside")
@example("a/../../outside")
@example("/etc/passwd")
def test_no_name_leaves_the_folder(name: str) -> None:
    try:
        kept = checked(name)
    except StateError:
        return
    root = Path("/root/of/store")
    assert (root / kept).is_relative_to(root)
    assert Path(os.path.normpath(root / kept)) == root / kept
    assert not Path(kept).name.startswith(TEMPORARY)


def test_of_many_writers_at_once_one_wins_and_its_bytes_are_whole(tmp_path: Path) -> None:
    place = LocalStore(tmp_path)
    for round_ in range(10):
        start, won = threading.Barrier(8), []

        def write(writer: int, name: str = f"r/{round_}", start: threading.Barrier = start, won: list = won) -> None:
            start.wait()
            if place.commit(name, bytes([writer]) * 9000):
                won.append(writer)

        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert place.read(f"r/{round_}") == bytes(won) * 9000


def test_the_sweep_removes_old_temporaries_and_nothing_else(tmp_path: Path) -> None:
    place = LocalStore(tmp_path)
    place.commit("data/kept", b"x")
    old, young = tmp_path / "data" / f"{TEMPORARY}old", tmp_path / "data" / f"{TEMPORARY}young"
    for path in (old, young):
        path.write_bytes(b"half")
    past = time.time() - 100
    os.utime(old, (past, past))
    os.utime(tmp_path / "data/kept", (past, past))
    assert place.sweep(50) == 1
    assert (old.exists(), young.exists(), place.names()) == (False, True, ["data/kept"])


@pytest.mark.parametrize("operation", ["write", "fsync", "link", "rename"])
def test_what_the_disk_refuses_is_named_and_leaves_nothing(tmp_path: Path, operation: str) -> None:
    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    place = LocalStore(tmp_path, Disk())
    setattr(place.disk, operation, refuse)
    for write in (place.commit, place.replace):
        if operation in ("write", "fsync") or (operation == "link") == (write == place.commit):
            with pytest.raises(SetupError, match=r"x\.bin: cannot write: Read-only file system") as caught:
                write("x.bin", b"data")
            assert caught.value.exit_code == 3
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


class Refused(Exception):
    """Shaped as the client's errors are."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status}}


class Bucket:
    """One bucket that follows a script: for each put whether it is done, and what is answered."""

    def __init__(self, *script: tuple[bool, int]) -> None:
        self.script, self.objects = list(script), {}

    def _strip_protocol(self, url: str) -> str:
        return url.removeprefix("s3://")

    def cat_file(self, path: str) -> bytes:
        return self.objects[path]

    def call_s3(self, method: str, **told: object) -> None:
        assert (method, told["IfNoneMatch"]) == ("put_object", "*")
        done, status = self.script.pop(0)
        if done:
            self.objects[f"{told['Bucket']}/{told['Key']}"] = told["Body"]
        if status != 200:
            raise OSError(str(status)) from Refused(status)


def bucket(*script: tuple[bool, int]) -> ObjectStore:
    return ObjectStore("s3://bucket/run", Bucket(*script))


def test_a_put_whose_answer_was_lost_is_still_ours() -> None:
    assert bucket((True, 412)).commit("a", b"mine")


def test_a_conflict_is_no_loss_until_there_is_an_object() -> None:
    assert bucket((False, 409), (False, 409), (True, 200)).commit("a", b"mine")
    other = bucket((False, 409), (False, 412))
    other._files.objects["bucket/run/a"] = b"theirs"
    assert not other.commit("a", b"mine")
    with pytest.raises(SetupError, match="run/a"):
        bucket(*[(False, 409)] * 4).commit("a", b"mine")


def test_two_empty_claims_are_never_both_ours() -> None:
    other = bucket((False, 412))
    other._files.objects["bucket/run/a"] = b""
    assert not other.commit("a", b"")


def test_a_bucket_that_refuses_is_named() -> None:
    with pytest.raises(SetupError, match="run/a"):
        bucket((False, 403)).commit("a", b"mine")


def test_a_path_a_file_url_and_an_object_url_open_their_stores(tmp_path: Path) -> None:
    assert open_store(tmp_path).url == open_store(f"file://{tmp_path}").url == str(tmp_path)
    assert open_store(tmp_path).local == tmp_path
    assert open_store("memory://x/y").local is None
