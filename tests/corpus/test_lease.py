"""The lease: one driver at a time, a dead one is followed at once, and one that lost it can do no harm."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from corpus import lease as module
from corpus.errors import HornbookError, StateError
from corpus.lease import LEASE, Lease
from corpus.local_store import LocalStore
from corpus.store import Store


def record(place: Store) -> dict[str, Any]:
    return orjson.loads(place.read(LEASE))


def write(place: Store, **changes: Any) -> None:
    """A lease of somebody on another host, good for half a minute."""
    plain = {"holder": "elsewhere:1", "fence": 1, "until": time.time() + 30, "ttl": 30.0}
    place.replace(LEASE, orjson.dumps({**plain, **changes}))


def test_a_held_lease_keeps_others_out_and_says_who_holds_it(store: Store) -> None:
    held = Lease.acquire(store)
    with pytest.raises(StateError, match=f"{held.holder} is working on this run") as caught:
        Lease.acquire(store)
    assert caught.value.exit_code == 6
    held.release()
    assert Lease.acquire(store).fence == held.fence + 1


def test_an_expired_lease_is_taken_over_and_its_holder_told(store: Store) -> None:
    first = Lease.acquire(store, ttl_s=0.05)
    time.sleep(0.1)
    second = Lease.acquire(store)
    assert second.fence == first.fence + 1
    with pytest.raises(StateError, match="the lease was lost"):
        first.renew()
    assert record(store)["fence"] == second.fence


def test_who_lost_the_lease_does_not_give_it_back_for_another(store: Store) -> None:
    first = Lease.acquire(store, ttl_s=0.05)
    time.sleep(0.1)
    second = Lease.acquire(store)
    first.release()
    assert record(store)["fence"] == second.fence
    with pytest.raises(StateError, match="is working on this run"):
        Lease.acquire(store)


def test_renewing_prolongs(tmp_path: Path) -> None:
    held = Lease.acquire(LocalStore(tmp_path), ttl_s=0.5)
    before = record(held.store)["until"]
    time.sleep(0.3)
    held.renew()
    assert record(held.store)["until"] > before + 0.2


@pytest.mark.parametrize("waited", [True, False], ids=["reaped", "zombie"])
def test_the_lease_of_a_killed_process_on_this_host_is_free_at_once(tmp_path: Path, waited: bool) -> None:
    place = LocalStore(tmp_path)
    code = "import sys, time; from corpus.lease import Lease; from corpus.store import open_store\nLease.acquire(open_store(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, cwd=os.getcwd())
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(StateError, match="is working on this run"):
        Lease.acquire(place)
    process.send_signal(signal.SIGKILL)
    if waited:
        process.wait()
    else:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert Lease.acquire(place).fence == 2
    process.wait()
    process.stdout.close()


def test_the_lease_of_another_host_is_kept_until_it_expires(tmp_path: Path) -> None:
    place = LocalStore(tmp_path)
    write(place, holder=f"elsewhere:{2**22 - 3}")
    with pytest.raises(StateError, match="elsewhere"):
        Lease.acquire(place)
    write(place, until=time.time() - 0.01)
    assert Lease.acquire(place).fence == 2


def test_a_clock_that_was_set_back_an_hour_does_not_lock_the_run(tmp_path: Path) -> None:
    place = LocalStore(tmp_path)
    write(place, until=time.time() + 3600)
    assert Lease.acquire(place).fence == 2


def together(place: Store, count: int) -> list[Lease]:
    """Leases of those who got one when `count` try at once."""
    start, held = threading.Barrier(count), []

    def take() -> None:
        start.wait()
        with contextlib.suppress(StateError):
            held.append(Lease.acquire(place))

    threads = [threading.Thread(target=take) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return held


@pytest.mark.parametrize("before", ["nothing", "expired", "abandoned claim"])
def test_of_many_who_try_at_once_one_gets_it(tmp_path: Path, before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLAIM_S", 0.3)
    for round_ in range(5):
        place = LocalStore(tmp_path / str(round_))
        if before == "expired":
            write(place, until=0.0)
        if before == "abandoned claim":
            place.commit("leases/000001", b"of one who died before it wrote its lease")
        held = together(place, 4)
        assert len(held) == 1
        assert record(place)["fence"] == held[0].fence


def test_a_claimer_that_was_slow_finds_the_next_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It claimed, slept longer than others wait, and woke: the other holds the run and it is refused."""
    monkeypatch.setattr(module, "CLAIM_S", 0.05)
    place = LocalStore(tmp_path)
    slow = Lease(place, f"{socket.gethostname()}:{os.getpid()}", module._claim(place, 1), 30.0)
    other = Lease.acquire(place)
    assert other.fence > slow.fence
    with pytest.raises(StateError, match="the lease was lost"):
        slow.renew()
    assert record(place)["fence"] == other.fence


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"holder": "a:1"}', b'{"holder":"a:1","fence":"x","until":0,"ttl":1}']
)
def test_a_damaged_lease_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / LEASE).write_bytes(data)
    with pytest.raises(HornbookError, match=LEASE) as caught:
        Lease.acquire(LocalStore(tmp_path))
    assert caught.value.exit_code == 6
    assert caught.value.hint
