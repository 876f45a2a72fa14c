"""One driver at a time: a lease on a run, taken over when its holder has stopped renewing it."""

from __future__ import annotations

import os
import socket
import time
import uuid
from dataclasses import dataclass

import orjson

from corpus.errors import StateError
from corpus.store import Store

LEASE = "driver.lease"
CLAIM = "leases"


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
        fence = (current["fence"] if current else 0) + 1
        if not store.commit(f"{CLAIM}/{fence:06d}", uuid.uuid4().bytes) and not _abandoned(store, fence):
            raise StateError(f"{store.url}: another process took this run at the same moment", hint="try again")
        lease = cls(store, f"{socket.gethostname()}:{os.getpid()}", fence, ttl_s)
        lease.renew()
        return lease

    def renew(self) -> None:
        """Prolong. Raises `StateError` when somebody else holds the run now."""
        current = _read(self.store)
        if current and current["fence"] > self.fence:
            raise StateError(f"{self.store.url}: the lease was lost to {current['holder']}")
        record = {"holder": self.holder, "fence": self.fence, "until": time.time() + self.ttl_s, "ttl": self.ttl_s}
        self.store.replace(LEASE, orjson.dumps(record))

    def release(self) -> None:
        """Give it back: the next driver need not wait for it to expire."""
        record = {"holder": self.holder, "fence": self.fence, "until": 0.0, "ttl": self.ttl_s}
        self.store.replace(LEASE, orjson.dumps(record))


def _read(store: Store) -> dict | None:
    try:
        return orjson.loads(store.read(LEASE))
    except FileNotFoundError:
        return None


def _expired(record: dict) -> bool:
    """Past its end, or so far ahead that the clock must have been set back; or its process on this host is gone."""
    left = record["until"] - time.time()
    if left <= 0 or left > 2 * record["ttl"]:
        return True
    host, _, process = record["holder"].rpartition(":")
    return host == socket.gethostname() and not _alive(int(process))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _abandoned(store: Store, fence: int) -> bool:
    """A claim whose holder died before writing its lease: nobody wrote the lease within a second."""
    time.sleep(1.0)
    current = _read(store)
    return not current or current["fence"] < fence
