"""The file in which a served teacher's endpoints are found: `hornbook teacher serve --register` keeps it, runs read it.

It is renewed while the teacher is served and removed when it is stopped, so that a run that finds an old one knows that
nobody is behind it any more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import orjson

from corpus.errors import SetupError
from corpus.store import Store, open_store

RENEW_S, STALE_S = 10.0, 60.0
HINT = "serve it: hornbook teacher serve MODEL --replicas N --register FILE"


class Registry:
    """One such file, by path or URL."""

    def __init__(self, place: str) -> None:
        folder, _, self._name = place.rpartition("/")
        self.place = place
        self._folder: Store = open_store(folder or ".")
        self._written: tuple[float, list[str]] = (0.0, [])

    def keep(self, model: str, endpoints: Sequence[str]) -> None:
        """Say that these endpoints answer, under this name of the model; writes when that is new or `RENEW_S` old."""
        now, given = time.time(), list(endpoints)
        if given == self._written[1] and now - self._written[0] < RENEW_S:
            return
        self._written = now, given
        told = {"model": model, "endpoints": given, "renewed": now}
        self._folder.replace(self._name, orjson.dumps(told, option=orjson.OPT_INDENT_2))

    def remove(self) -> None:
        """Nobody is served any more."""
        self._folder.delete(self._name)

    def read(self) -> tuple[str, tuple[str, ...]]:
        """Model and endpoints. Raises `SetupError` when nobody keeps the file up to date."""
        if not self._folder.exists(self._name):
            raise SetupError(f"teacher.registry: there is no {self.place}", hint=HINT)
        told = orjson.loads(self._folder.read(self._name))
        age = time.time() - told["renewed"]
        if age > STALE_S or not told["endpoints"]:
            raise SetupError(f"teacher.registry: {self.place} was last renewed {age:.0f} s ago", hint=HINT)
        return told["model"], tuple(told["endpoints"])
