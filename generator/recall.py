"""Replies that other runs in the same store were given already, found by request key and read one at a time.

Of every stored reply the index holds 16 bytes: a hash of its key, the file, the row. Texts stay on the disk until a
request asks for one; what was read is remembered a few row groups at a time, because a run that resembles another asks
in the same order. A run whose files are damaged, or that goes away meanwhile, is left out with a warning: the worst
that follows is a request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from corpus.errors import StateError
from corpus.journal import is_segment, read_segment
from corpus.manifest import MANIFEST, load_manifest
from corpus.shards import Partition, checked_bytes
from corpus.store import Store
from generator.bounded import Bounded
from generator.reply import Reply, outcome_of
from generator.request import Request
from generator.waves import serves

REPLIES = "replies"
FOLDER = re.compile(r"^(?P<run>[^/]+@[^/]+(?:/round-\d+)?)/generate/(?:manifest\.json|journal/[^/]+)$")
ENTRY = np.dtype([("key", "<u8"), ("source", "<u4"), ("row", "<u4")])
FILES, GROUPS = 8, 64  # open files and row groups (or segments) that are remembered
DAMAGE = (StateError, OSError, pa.ArrowException, KeyError, ValueError)
Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Source:
    """One file that holds replies: a partition that a manifest names, or a segment of a journal."""

    run: str
    store: Store
    name: str
    partition: Partition | None


class Elsewhere:
    """`find(request)` gives a reply of another run that serves, or None."""

    def __init__(self, store: Store, own: str, teacher: str, warn: Warn = lambda text: None) -> None:
        """Index all runs of `store` but `own` (a label) that asked `teacher` (model@revision)."""
        self._warn, self._sources, self._gone = warn, [], set()  # type: Warn, list[Source], set[str]
        self._checked: set[int] = set()
        self._files: Bounded[int, pq.ParquetFile] = Bounded(FILES)
        self._groups: Bounded[tuple[int, int], Any] = Bounded(GROUPS)
        entries = [self._indexed(run, store, teacher) for run in _runs(store) if run.split("/")[0] != own]
        self._index = np.sort(np.concatenate([*entries, np.empty(0, ENTRY)]), order=["key", "source", "row"])

    def __len__(self) -> int:
        return len(self._index)

    def find(self, request: Request) -> Reply | None:
        """The best stored reply that serves: one that ended by itself within the limit, else the longest cut one."""
        if request.demands.top_logprobs:  # another run's labels of kept documents are not those of its replies
            return None
        if request.demands.top_logprobs:
            return None  # labels lie in the journal of the run that asked for them, and do not travel with the reply
        found = [reply for reply in self._all(request.key) if serves(reply, request) and _fits(reply, request)]
        return max(found, key=lambda reply: (reply.finish_reason != "length", reply.completion_tokens), default=None)

    def holders(self, keys: Iterable[str]) -> list[str]:
        """Runs that hold a reply to one of these requests."""
        return sorted({run for key in keys for run, _ in self._entries(key)})

    def _all(self, key: str) -> Iterator[Reply]:
        return (reply for _, reply in self._entries(key))

    def _entries(self, key: str) -> Iterator[tuple[str, Reply]]:
        wanted = np.uint64(_hash(key))
        place = int(np.searchsorted(self._index["key"], wanted))
        while place < len(self._index) and self._index["key"][place] == wanted:
            number, row = int(self._index["source"][place]), int(self._index["row"][place])
            place += 1
            if (reply := self._read(number, row)) is not None and reply.request_key == key:
                yield self._sources[number].run, reply

    def _indexed(self, run: str, store: Store, teacher: str) -> np.ndarray:
        folder, before = store.child(f"{run}/generate"), len(self._sources)
        try:
            return np.concatenate([*self._entries_of(run, folder, teacher), np.empty(0, ENTRY)])
        except DAMAGE as error:
            del self._sources[before:]
            self._leave_out(run, error)
            return np.empty(0, ENTRY)

    def _entries_of(self, run: str, folder: Store, teacher: str) -> Iterator[np.ndarray]:
        manifest = load_manifest(folder) if folder.exists(MANIFEST) else None
        if manifest is None:
            journal = folder.child("journal")
            for name in filter(is_segment, journal.names()):
                keys = [
                    item["request_key"] if item.get("kind") == "reply" else "" for item in read_segment(journal, name)
                ]
                yield self._add(Source(run, journal, name, None), keys)
        elif _teacher_of(manifest.config) == teacher:
            for item in manifest.of(REPLIES):
                table = _open(folder, item.name).read(["kind", "request_key"])
                keys = pc.if_else(pc.equal(table["kind"], "reply"), table["request_key"], "").to_pylist()
                yield self._add(Source(run, folder, item.name, item), keys)

    def _add(self, source: Source, keys: Sequence[str]) -> np.ndarray:
        rows = [(_hash(key), len(self._sources), row) for row, key in enumerate(keys) if key]
        self._sources.append(source)
        return np.array(rows, ENTRY)

    def _read(self, number: int, row: int) -> Reply | None:
        source = self._sources[number]
        if source.run in self._gone:
            return None
        try:
            outcome = outcome_of(self._record(source, number, row))
        except (*DAMAGE, IndexError) as error:
            self._leave_out(source.run, error)
            return None
        return outcome if isinstance(outcome, Reply) else None

    def _record(self, source: Source, number: int, row: int) -> dict[str, Any]:
        if source.partition is None:
            return self._groups.get((number, 0), lambda: read_segment(source.store, source.name))[row]
        if number not in self._checked:
            checked_bytes(source.store, source.partition)
            self._checked.add(number)
        file = self._files.get(number, lambda: _open(source.store, source.name))
        group = 0
        while row >= (rows := file.metadata.row_group(group).num_rows):
            row, group = row - rows, group + 1
        return self._groups.get((number, group), lambda: file.read_row_group(group)).slice(row, 1).to_pylist()[0]

    def _leave_out(self, run: str, error: Exception) -> None:
        self._gone.add(run)
        self._warn(f"{run} is left out of reuse: {error}")


def _hash(key: str) -> int:
    return xxhash.xxh3_64_intdigest(key.encode())


def _runs(store: Store) -> list[str]:
    """Runs of a store that have replies, by the names of their files."""
    return sorted({found["run"] for name in store.names() if (found := FOLDER.match(name))})


def _teacher_of(config: dict[str, Any]) -> str:
    teacher = config.get("teacher", {})
    return f"{teacher.get('model')}@{teacher.get('revision')}"


def _open(store: Store, name: str) -> pq.ParquetFile:
    return pq.ParquetFile(store.local / name if store.local else pa.BufferReader(store.read(name)))


def _fits(reply: Reply, request: Request) -> bool:
    """A whole reply that is longer than the room of this request was not written for it."""
    return reply.finish_reason == "length" or reply.completion_tokens <= request.demands.max_tokens
