"""Writes soft labels as partitions of a bounded size, and counts what they cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from corpus.facts import Fact, counts, table
from corpus.shards import Partition, write_partition
from corpus.soft_labels import KIND, Labelled, labels_table, pack
from corpus.store import Store

PARTITION_BYTES = 64 << 20  # of packed labels; in Arrow they are half as big again


@dataclass
class LabelWriter:
    """`add` rows, then `close`; what could not be labelled is counted by reason in `dropped`."""

    store: Store
    limit: int = PARTITION_BYTES
    dropped: Counter[str] = field(default_factory=Counter)
    partitions: list[Partition] = field(default_factory=list)
    documents: int = 0
    tokens: int = 0
    entries: int = 0
    k: int = 0
    packed_bytes: int = 0
    wire: Counter[str] = field(default_factory=Counter)  # bytes and tokens of replies as they came
    _rows: list[Labelled] = field(default_factory=list)
    _size: int = 0

    def add(self, row: Labelled) -> None:
        """One labelled document."""
        size = len(pack(row.labels))
        self.documents += 1
        self.tokens += len(row.labels)
        self.entries += row.labels.top_ids.size
        self.k = max(self.k, row.labels.k)
        self.packed_bytes += size
        self._size += size
        self._rows.append(row)
        if self._size >= self.limit:
            self._flush()

    def came(self, wire_bytes: int, tokens: int) -> None:
        """What a labelled reply took as the endpoint's JSON."""
        self.wire.update(bytes=wire_bytes, tokens=tokens)

    def close(self) -> tuple[Partition, ...]:
        """The partitions."""
        self._flush()
        return tuple(self.partitions)

    def totals(self) -> dict[str, int]:
        """For the manifest."""
        return {
            "labelled": self.documents, "labelled_tokens": self.tokens, "label_bytes": self._stored(),
            "labels_dropped": self.dropped.total(),
        }  # fmt: skip

    def facts(self) -> dict[str, Fact]:
        """For card and report: how much is labelled, what a token costs in each form, and what has no labels."""
        each = max(1, self.tokens)
        row = [
            self.documents, self.tokens, self.k, _round(self.wire["bytes"], self.wire["tokens"]),
            _round(self.packed_bytes, each), _round(self._stored(), each), _round(self._stored(), max(1, self.entries)),
        ]  # fmt: skip
        facts = {
            "soft_labels": table(
                "Soft labels",
                ["documents", "tokens", "k", "bytes a token: JSON of the endpoint", "packed", "in Parquet", "bytes an entry"],
                [row],
                caption="Raw log-probabilities of the teacher for the tokens that it wrote, asked for in the same call.",
            )
        }  # fmt: skip
        if self.dropped:
            facts["soft_labels.dropped"] = counts(
                "Documents without soft labels, by cause", self.dropped, unit="documents"
            )
        return facts

    def _stored(self) -> int:
        return sum(item.bytes for item in self.partitions)

    def _flush(self) -> None:
        if self._rows:
            self.partitions.append(write_partition(self.store, KIND, len(self.partitions), labels_table(self._rows)))
            self._rows, self._size = [], 0


def _round(size: int, count: int) -> float:
    return round(size / count, 2) if count else 0.0
