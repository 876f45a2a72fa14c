"""Where replies rest first: an append-only journal of segments, one writer each, with a fencing number in the name.

A record is framed as length (4 bytes), xxh3-64 (8 bytes), JSON. On a local disk a segment grows by appends that one
fsync makes durable together, at most `sync_ms` apart; a kill leaves at most a torn tail, and that is cut on reading.
It is sealed once it is big. On an object store a segment is put whole, once it is old or big enough.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import xxhash

from corpus.errors import SetupError, StateError
from corpus.local_store import LocalStore, named_failure
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
        self._lock, self._writing = threading.Lock(), threading.Lock()  # the first is never held over a write
        self._pending = b""
        self._flushing: asyncio.Task[None] | None = None
        self.fence = _claim_fence(store, writer)
        self._part = 0
        self._file: int | None = None
        self._durable = 0  # bytes of the open segment that a sync has covered

    def append(self, record: Mapping[str, Any]) -> None:
        """Buffer a record; it is durable after the next `sync`."""
        framed = _framed(record)
        with self._lock:
            self._pending += framed

    def sync(self) -> None:
        """Everything appended so far is durable when this returns. After a `SetupError` it is kept and tried again."""
        with self._writing:
            with self._lock:
                data, self._pending = self._pending, b""
            if not data:
                return
            try:
                self._write(data)
            except BaseException:
                with self._lock:
                    self._pending = data + self._pending
                raise

    async def append_durable(self, record: Mapping[str, Any]) -> None:
        """Append, and return after the group sync that covers the record; many callers share one sync."""
        self.append(record)
        if len(self._pending) >= self._seal_bytes and not isinstance(self._store, LocalStore):
            await asyncio.to_thread(self.sync)
            return
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._sync_soon())
        await asyncio.shield(self._flushing)

    def close(self) -> None:
        """Sync and seal."""
        self.sync()
        with self._writing:
            self._seal()

    async def _sync_soon(self) -> None:
        await asyncio.sleep(self._sync_s if isinstance(self._store, LocalStore) else self._seal_s)
        self._flushing = None  # whoever appends from here on needs the next sync
        await asyncio.to_thread(self.sync)

    def _name(self, ending: str) -> str:
        return f"{self._writer}-{self.fence:04d}-{self._part:06d}{ending}"

    def _write(self, data: bytes) -> None:
        if not isinstance(self._store, LocalStore):
            self._put(data)
            return
        path = self._store.local / self._name(OPEN)
        try:
            with named_failure(path):
                self._append(self._store, path, data)
        except SetupError:
            self._abandon()
            raise
        if self._durable >= self._seal_bytes:
            self._seal()

    def _append(self, store: LocalStore, path: Path, data: bytes) -> None:
        if self._file is None:
            store.make_folder()
            self._file, self._durable = store.disk.create(path), 0
            store.disk.fsync(store.local)
        store.disk.append(self._file, data)
        store.disk.flush(self._file)
        self._durable += len(data)

    def _abandon(self) -> None:
        """After a failed write or fsync nobody knows what lies beyond the last sync: cut it off, and begin a new part.

        To append behind half a record would make readers stop there and lose what comes after it.
        """
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._durable)
            os.close(self._file)
            self._file = None
            self._part += 1

    def _seal(self) -> None:
        if self._file is None or not isinstance(self._store, LocalStore):
            return
        disk, folder = self._store.disk, self._store.local
        os.close(self._file)
        self._file = None
        part, sealed = folder / self._name(OPEN), folder / self._name(SEALED)
        self._part += 1
        with named_failure(sealed):
            disk.rename(part, sealed)
            disk.fsync(folder)

    def _put(self, data: bytes) -> None:
        if not self._store.commit(self._name(SEALED), data):
            raise StateError(f"{self._store.url}/{self._name(SEALED)} exists: another writer holds this fencing number")
        self._part += 1


def pack_records(records: Iterable[Mapping[str, Any]]) -> bytes:
    """A segment of these records, for who writes one again without some of them."""
    return b"".join(map(_framed, records))


def _framed(record: Mapping[str, Any]) -> bytes:
    payload = orjson.dumps(dict(record))
    return FRAME.pack(len(payload), xxhash.xxh3_64_intdigest(payload)) + payload


def read_journal(store: Store) -> Iterator[dict[str, Any]]:
    """All records in segment order. A torn tail of an open segment is cut; damage in a sealed one is `StateError`."""
    for name in filter(is_segment, store.names()):
        yield from read_segment(store, name)


def is_segment(name: str) -> bool:
    """Whether a file of a journal's folder holds records."""
    return name.endswith((OPEN, SEALED))


def read_segment(store: Store, name: str) -> list[dict[str, Any]]:
    """The records of one segment, at most a few megabytes."""
    found, data = _segment(store, name)
    return list(_records(data, f"{store.url}/{found}", sealed=found.endswith(SEALED)))


def _segment(store: Store, name: str) -> tuple[str, bytes]:
    """A segment and the name that it has now: a living writer may seal it between the listing and the reading."""
    try:
        return name, store.read(name)
    except FileNotFoundError:
        sealed = name.removesuffix(OPEN) + SEALED
        return sealed, store.read(sealed)


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
