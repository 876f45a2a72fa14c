"""One driver at a time: a lease on a run, taken over when its holder has stopped renewing it."""

from __future__ import annotations

import os
import socket
import time
import uuid
from dataclasses import dataclass
from typing import Any

import orjson
import psutil

from corpus.errors import StateError
from corpus.store import Store

LEASE = "driver.lease"
CLAIM = "leases"
CLAIM_S = 1.0  # between a claim and its lease; whoever takes longer finds the next holder's when it writes its own


@dataclass
class Lease:
    """A held lease. `fence` grows with every holder, so a stale holder can tell that it lost."""

    store: Store
    holder: str
    fence: int
    ttl_s: float

    @classmethod
    def acquire(cls, store: Store, ttl_s: float = 30.0) -> Lease:
        """Take the lease, or raise `StateError` naming who holds it. An expired one is taken over."""
        current = _read(store)
        if current and not _expired(current):
            raise StateError(
                f"{store.url}: {current['holder']} is working on this run", hint="wait for it, or stop it first"
            )
        fence = _claim(store, (current["fence"] if current else 0) + 1)
        lease = cls(store, f"{socket.gethostname()}:{os.getpid()}", fence, ttl_s)
        lease.renew()
        return lease

    def renew(self) -> None:
        """Prolong. Raises `StateError` when somebody else holds the run now."""
        current = _read(self.store)
        if current and current["fence"] > self.fence:
            raise StateError(f"{self.store.url}: the lease was lost to {current['holder']}")
        self._write(time.time() + self.ttl_s)

    def release(self) -> None:
        """Give it back: the next driver need not wait for it to expire. A lease that was lost is left to its holder."""
        current = _read(self.store)
        if not current or current["fence"] <= self.fence:
            self._write(0.0)

    def _write(self, until: float) -> None:
        record = {"holder": self.holder, "fence": self.fence, "until": until, "ttl": self.ttl_s}
        self.store.replace(LEASE, orjson.dumps(record))


def _claim(store: Store, fence: int) -> int:
    """Claim `fence`, or the one after a claim whose holder died before it wrote its lease. No number is held twice."""
    while not store.commit(f"{CLAIM}/{fence:06d}", uuid.uuid4().bytes):
        time.sleep(CLAIM_S)
        current = _read(store)
        if current and current["fence"] >= fence:
            raise StateError(f"{store.url}: another process took this run at the same moment", hint="try again")
        fence += 1
    return fence


def _read(store: Store) -> dict[str, Any] | None:
    try:
        record = orjson.loads(store.read(LEASE))
        return {"holder": str(record["holder"]), "fence": int(record["fence"]), "until": float(record["until"]),
                "ttl": float(record["ttl"])}  # fmt: skip
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(
            f"{store.url}/{LEASE}: not a lease: {error}", hint="delete it if nothing works on this run"
        ) from None


def _expired(record: dict[str, Any]) -> bool:
    """Past its end, or so far ahead that the clock must have been set back; or its process on this host is gone."""
    left = record["until"] - time.time()
    if left <= 0 or left > 2 * record["ttl"]:
        return True
    host, _, process = record["holder"].rpartition(":")
    return host == socket.gethostname() and process.isdecimal() and not _alive(int(process))


def _alive(process: int) -> bool:
    """Whether it runs. One that was killed and not yet waited for by its parent does not."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
