"""How long a run has asked, over all its sessions: what GPU-hours and forecasts are held against."""

from __future__ import annotations

import time
import uuid

import orjson

from corpus.store import Store

FOLDER = "asking"
EVERY_S = 2.0  # a killed session loses at most so much of its time


class Stopwatch:
    """Runs from its making until `stop`. Each session has a file of its own, so that none can lose another's time."""

    def __init__(self, store: Store) -> None:
        self._store, self._name = store, f"{FOLDER}/{uuid.uuid4().hex[:12]}.json"
        self._before = asked_seconds(store)
        self._begun: float | None = None
        self._session = self._written = 0.0

    @property
    def seconds(self) -> float:
        """Of all sessions, this one included."""
        return self._before + self._session + (time.monotonic() - self._begun if self._begun is not None else 0.0)

    def start(self) -> None:
        """The first request goes out."""
        self._begun = time.monotonic()

    def tick(self) -> None:
        """Write the time down, now and then."""
        if self.seconds - self._before - self._written >= EVERY_S:
            self._write()

    def stop(self) -> None:
        """The last outcome is here."""
        if self._begun is not None:
            self._session, self._begun = self._session + time.monotonic() - self._begun, None
            self._write()

    def _write(self) -> None:
        self._written = self.seconds - self._before
        self._store.replace(self._name, orjson.dumps({"seconds": round(self._written, 3)}))


def asked_seconds(store: Store) -> float:
    """Seconds that all sessions so far have asked."""
    place = store.child(FOLDER)
    return sum(float(orjson.loads(place.read(name))["seconds"]) for name in place.names())
