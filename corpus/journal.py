"""Where replies rest first: an append-only journal of segments, one writer each, with a fencing number in the name.

A record is framed as length (4 bytes), xxh3-64 (8 bytes), JSON. On a local disk a segment grows by appends that one
fsync makes durable together, at most `sync_ms` apart; a kill leaves at most a torn tail, and that is cut on reading.
On an object store a segment is put whole, once it is old or big enough.
"""

from __future__ import annotations

import asyncio
import os
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import xxhash

from corpus.errors import StateError
from corpus.local_store import LocalStore, make_folder
from corpus.store import Store

FRAME = struct.Struct("<IQ")
OPEN, SEALED = ".open", ".seg"
RECORD_LIMIT = 64 << 20  # bytes; a length beyond it is damage, not a record


class JournalWriter:
    """Appends records under a name that no other writer has. Thread-safe."""

    def __init__(
        self, store: Store, writer: str, *, sync_ms: int = 50, seal_bytes: int = 4 << 20, seal_s: float = 2.0
    ) -> None:
        self._store, self._writer = store, writer
        self._sync_s, self._seal_bytes, self._seal_s = sync_ms / 1000, seal_bytes, seal_s
        self._lock = threading.Lock()
        self._pending = bytearray()
        self._flushing: asyncio.Task[None] | None = None
        self.fence = _claim_fence(store, writer)
        self._part = 0
        self._file: int | None = None
        self._opened = time.monotonic()

    def append(self, record: Mapping[str, Any]) -> None:
        """Buffer a record; it is durable after the next `sync`."""
        payload = orjson.dumps(dict(record))
        with self._lock:
            self._pending += FRAME.pack(len(payload), xxhash.xxh3_64_intdigest(payload)) + payload

    def sync(self) -> None:
        """Everything appended so far is durable when this returns."""
        with self._lock:
            if isinstance(self._store, LocalStore):
                self._sync_local()
            elif self._pending:
                self._put_segment()

    async def append_durable(self, record: Mapping[str, Any]) -> None:
        """Append, and return after the group sync that covers the record; many callers share one sync."""
        self.append(record)
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._sync_soon())
        await asyncio.shield(self._flushing)

    def close(self) -> None:
        """Sync and seal."""
        self.sync()
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None
                self._seal_local()

    async def _sync_soon(self) -> None:
        await asyncio.sleep(self._sync_s if isinstance(self._store, LocalStore) else self._seal_s)
        self._flushing = None  # whoever appends from here on needs the next sync
        await asyncio.to_thread(self.sync)

    def _name(self, ending: str) -> str:
        return f"{self._writer}-{self.fence:04d}-{self._part:06d}{ending}"

    def _sync_local(self) -> None:
        assert isinstance(self._store, LocalStore)
        if not self._pending:
            return
        if self._file is None:
            make_folder(self._store.local, self._store.disk)
            path = self._store.local / self._name(OPEN)
            self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o644)
            self._store.disk.fsync(self._store.local)
        view = memoryview(bytes(self._pending))
        while view:
            view = view[os.write(self._file, view) :]
        os.fsync(self._file)
        self._pending.clear()

    def _seal_local(self) -> None:
        assert isinstance(self._store, LocalStore)
        disk, folder = self._store.disk, self._store.local
        disk.rename(folder / self._name(OPEN), folder / self._name(SEALED))
        disk.fsync(folder)
        self._part += 1

    def _put_segment(self) -> None:
        if not self._store.commit(self._name(SEALED), bytes(self._pending)):
            raise StateError(f"{self._store.url}/{self._name(SEALED)} exists: another writer holds this fencing number")
        self._pending.clear()
        self._part += 1


def read_journal(store: Store) -> Iterator[dict[str, Any]]:
    """All records in segment order. A torn tail of an open segment is cut; damage in a sealed one is `StateError`."""
    for name in store.names():
        if name.endswith((OPEN, SEALED)):
            yield from _records(store.read(name), f"{store.url}/{name}", sealed=name.endswith(SEALED))


def _records(data: bytes, where: str, *, sealed: bool) -> Iterator[dict[str, Any]]:
    place = 0
    while place < len(data):
        end = place + FRAME.size
        length, checksum = FRAME.unpack_from(data, place) if end <= len(data) else (RECORD_LIMIT + 1, 0)
        payload = data[end : end + length]
        if length > RECORD_LIMIT or len(payload) < length or xxhash.xxh3_64_intdigest(payload) != checksum:
            if sealed:
                raise StateError(f"{where}: record at byte {place} is damaged", hint="restore the file from a copy")
            return
        yield orjson.loads(payload)
        place = end + length


def _claim_fence(store: Store, writer: str) -> int:
    """The next free number for this writer's name, claimed by create-if-absent so that two can never share one."""
    fence = 0
    while not store.commit(f"{writer}-{fence:04d}.fence", b""):
        fence += 1
    return fence
