"""What the shards of the filter stage found out: numbers that add up, and a record of them that outlives a kill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from corpus.shards import Partition
from filters.overlap import Overlap

SHOWN = 30  # samples of each kind in the report
Sample = tuple[str, dict[str, Any]]  # the key that orders it, and the row
COUNTERS = ("taken", "kept", "reasons", "licences", "totals", "sensitive")


@dataclass
class Found:
    """What shards found out; adds up. What it holds for each document is 24 bytes."""

    partitions: list[Partition] = field(default_factory=list)
    survivors: list[Partition] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)  # by source
    kept: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)  # by reason and source
    licences: Counter[str] = field(default_factory=Counter)
    totals: Counter[str] = field(default_factory=Counter)
    sensitive: Counter[tuple[str, str]] = field(default_factory=Counter)  # by kind, documents or findings
    overlap: Overlap = field(default_factory=Overlap)
    quality: dict[str, list[np.ndarray]] = field(default_factory=dict)  # float32, by source
    lengths: dict[str, list[np.ndarray]] = field(default_factory=dict)  # int32
    hashes: list[np.ndarray] = field(default_factory=list)  # S16
    samples: dict[str, list[Sample]] = field(default_factory=dict)  # by verdict

    def add(self, other: Found) -> None:
        """Take in what another shard found."""
        for name in ("partitions", "survivors", "hashes"):
            getattr(self, name).extend(getattr(other, name))
        for name in COUNTERS:
            getattr(self, name).update(getattr(other, name))
        self.overlap += other.overlap
        for name in ("quality", "lengths"):
            for source, values in getattr(other, name).items():
                getattr(self, name).setdefault(source, []).extend(values)
        for verdict, rows in other.samples.items():
            self.samples[verdict] = first([*self.samples.get(verdict, []), *rows])


def first(rows: Iterable[Sample]) -> list[Sample]:
    """The samples of the smallest keys: the same ones for any sharding."""
    return sorted(rows, key=lambda row: row[0])[:SHOWN]


def to_record(found: Found) -> dict[str, Any]:
    """A plain JSON value."""
    overlap = found.overlap
    return {
        **{name: [vars(item) for item in getattr(found, name)] for name in ("partitions", "survivors")},
        **{name: _pairs(getattr(found, name)) for name in COUNTERS},
        "overlap": [overlap.documents, overlap.removed, _pairs(overlap.both), _pairs(overlap.first), _pairs(overlap.only)],
        **{name: {source: np.concatenate(values).tolist() for source, values in getattr(found, name).items()}
           for name in ("quality", "lengths")},
        "hashes": b"".join(part.tobytes() for part in found.hashes).hex(),
        "samples": found.samples,
    }  # fmt: skip


def from_record(record: Mapping[str, Any]) -> Found:
    """What `to_record` was given."""
    documents, removed, *counted = record["overlap"]
    hashes = bytes.fromhex(record["hashes"])
    counters: dict[str, Any] = {name: _counter(record[name]) for name in COUNTERS}
    return Found(
        partitions=[Partition(**item) for item in record["partitions"]],
        survivors=[Partition(**item) for item in record["survivors"]],
        **counters,
        overlap=Overlap(documents, removed, *map(_counter, counted)),
        quality={source: [np.array(values, np.float32)] for source, values in record["quality"].items()},
        lengths={source: [np.array(values, np.int32)] for source, values in record["lengths"].items()},
        hashes=[np.frombuffer(hashes, "S16")] if hashes else [],
        samples={verdict: [(key, row) for key, row in rows] for verdict, rows in record["samples"].items()},
    )


def _pairs(counts: Counter[Any]) -> list[list[Any]]:
    return [[key, count] for key, count in counts.items()]


def _counter(pairs: Sequence[Sequence[Any]]) -> Counter[Any]:
    return Counter({tuple(key) if isinstance(key, list) else key: count for key, count in pairs})
