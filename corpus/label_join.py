"""Soft labels beside the documents as they are now: what was edited or dropped since has none, and is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from corpus.soft_labels import text_hash

TEXT_CHANGED, NOT_KEPT = "text_changed", "not_kept"


class LabelJoin:
    """Joins by document id and by the hash of the text. `documents`: tables with the columns `id` and `text`.

    After `join` has been read to its end, `labelled` and `tokens` count what was joined, `dropped` the rest by reason:
    `text_changed` for a text that was cleaned, redacted or otherwise edited, `not_kept` for one that is not there.
    """

    def __init__(self, documents: Iterable[pa.Table]) -> None:
        self._now: dict[str, str] = {}
        for part in documents:
            for batch in part.select(["id", "text"]).to_batches(1024):
                columns = (batch["id"].to_pylist(), batch["text"].to_pylist())
                self._now |= {row: text_hash(text) for row, text in zip(*columns, strict=True)}
        self.labelled, self.tokens = 0, 0
        self.dropped = Counter[str]()

    def join(self, labels: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The rows of each table that still hold, in order; `labels` need `id`, `text_hash`, `start` and `end`."""
        for part in labels:
            names = zip(part["id"].to_pylist(), part["text_hash"].to_pylist(), strict=True)
            reasons = [self._reason(row, before) for row, before in names]
            self.dropped.update(reason for reason in reasons if reason)
            held = part.filter(pa.array([not reason for reason in reasons], pa.bool_()))
            self.labelled += held.num_rows
            self.tokens += pc.sum(pc.subtract(held["end"], held["start"])).as_py() or 0
            yield held

    def _reason(self, row: str, before: str) -> str:
        now = self._now.get(row)
        return "" if now == before else TEXT_CHANGED if now else NOT_KEPT
