"""Soft labels: what a teacher gave as the likely next tokens of a text, beside the documents and never inside them.

A row belongs to one document and to one wording of it: the hash of the text that was labelled is in the row, and labels
of a text that was edited since are dropped at the join. Log-probabilities are the model's own, before temperature.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from corpus.errors import StateError
from corpus.ids import digest
from corpus.manifest import Manifest, tables_of
from corpus.store import Store

KIND = "soft_labels"  # of the partitions
HEADER = struct.Struct("<BBHII")  # version, bytes of an id, k, tokens, bytes that the same took as JSON
DRAWN = "@drawn"  # in a teacher's name: entries are tokens drawn from its whole distribution, with their frequencies
VERSION = 1
ID_LIMIT = 1 << 24  # token ids; vocabularies end well below
SHORT = 1 << 16  # token ids below it take two bytes

SOFT_LABELS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("text_hash", pa.string(), nullable=False),
        ("request_key", pa.string()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("k", pa.int32()),
        ("token_ids", pa.list_(pa.int32())),
        ("logprobs", pa.list_(pa.float16())),
        ("top_ids", pa.list_(pa.int32())),
        ("top_logprobs", pa.list_(pa.float16())),
        ("teacher", pa.string()),
        ("tokenizer", pa.string()),
    ]
)
"""`start` and `end` count tokens of the reply (its parts joined); the lists hold these tokens alone. `top_ids` and
`top_logprobs` have `k` entries a token, flat, the likeliest first; `tokenizer` is its folder and the hash of its file."""


@dataclass(frozen=True, slots=True, eq=False)
class TokenLabels:
    """Labels of n tokens: `token_ids` int32 [n] and their own `logprobs` float16 [n], `top_ids` int32 [n, k] and
    `top_logprobs` float16 [n, k], sorted from the likeliest down.

    vLLM counts a drawn token that is not among the k likeliest as one of the k, so k - 1 entries are always the true
    top and the last may be the drawn one. `wire_bytes` is what they took as the endpoint's JSON; 0 where there was none.
    """

    token_ids: np.ndarray
    logprobs: np.ndarray
    top_ids: np.ndarray
    top_logprobs: np.ndarray
    wire_bytes: int = 0

    @property
    def k(self) -> int:
        """Entries a token."""
        return int(self.top_ids.shape[1])

    def __len__(self) -> int:
        return len(self.token_ids)

    def part(self, start: int, end: int) -> TokenLabels:
        """The labels of some of the tokens."""
        return TokenLabels(
            self.token_ids[start:end], self.logprobs[start:end], self.top_ids[start:end], self.top_logprobs[start:end]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One row of the side table."""

    id: str
    text_hash: str
    request_key: str
    start: int
    labels: TokenLabels
    teacher: str
    tokenizer: str


def text_hash(text: str) -> str:
    """Names a wording; labels are joined by it."""
    return digest("text", text)


def joined(parts: Sequence[TokenLabels]) -> TokenLabels:
    """Labels of replies that follow each other, at the least k of them."""
    if len(parts) == 1:
        return parts[0]
    k = min(part.k for part in parts)
    return TokenLabels(
        np.concatenate([part.token_ids for part in parts]),
        np.concatenate([part.logprobs for part in parts]),
        np.concatenate([part.top_ids[:, :k] for part in parts]),
        np.concatenate([part.top_logprobs[:, :k] for part in parts]),
        sum(part.wire_bytes for part in parts),
    )


def pack(labels: TokenLabels) -> bytes:
    """The compact form: ids of two or three bytes, log-probabilities of two, so four or five bytes an entry.

    Raises `StateError` for an id that is none.
    """
    ids = np.concatenate([labels.token_ids, labels.top_ids.ravel()])
    low, high = (int(ids.min()), int(ids.max())) if ids.size else (0, 0)
    if low < 0 or high >= ID_LIMIT:
        raise StateError(f"{high if high >= ID_LIMIT else low} is no token id")
    width = 2 if high < SHORT else 3
    head = HEADER.pack(VERSION, width, labels.k, len(labels), min(labels.wire_bytes, 0xFFFFFFFF))
    packed = ids.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :width]
    values = np.concatenate([labels.logprobs, labels.top_logprobs.ravel()]).astype("<f2")
    return head + packed.tobytes() + values.tobytes()


def unpack(data: bytes) -> TokenLabels:
    """What `pack` made. Raises `StateError` for anything else."""
    version, width, k, tokens, wire = HEADER.unpack_from(data) if len(data) >= HEADER.size else (0, 0, 0, 0, 0)
    count = tokens * (k + 1)
    if version != VERSION or width not in (2, 3) or len(data) != HEADER.size + count * (width + 2):
        raise StateError("these bytes are no soft labels", hint="a newer Hornbook may have written them")
    end = HEADER.size + count * width
    ids = np.zeros((count, 4), np.uint8)
    ids[:, :width] = np.frombuffer(data, np.uint8, count * width, HEADER.size).reshape(-1, width)
    whole = ids.view("<u4").ravel().astype(np.int32)
    values = np.frombuffer(data, "<f2", count, end)
    return TokenLabels(
        whole[:tokens], values[:tokens], whole[tokens:].reshape(tokens, k), values[tokens:].reshape(tokens, k), wire
    )


def labels_table(rows: Sequence[Labelled]) -> pa.Table:
    """Rows to an Arrow table of schema `SOFT_LABELS`, without a Python object for each entry."""
    labels = [row.labels for row in rows]
    columns = [
        pa.array([row.id for row in rows], pa.string()),
        pa.array([row.text_hash for row in rows], pa.string()),
        pa.array([row.request_key for row in rows], pa.string()),
        pa.array([row.start for row in rows], pa.int32()),
        pa.array([row.start + len(row.labels) for row in rows], pa.int32()),
        pa.array([item.k for item in labels], pa.int32()),
        _lists([item.token_ids for item in labels], np.dtype(np.int32)),
        _lists([item.logprobs for item in labels], np.dtype(np.float16)),
        _lists([item.top_ids.ravel() for item in labels], np.dtype(np.int32)),
        _lists([item.top_logprobs.ravel() for item in labels], np.dtype(np.float16)),
        pa.array([row.teacher for row in rows], pa.string()),
        pa.array([row.tokenizer for row in rows], pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=SOFT_LABELS)


def labels_from(table: pa.Table) -> Iterator[Labelled]:
    """An Arrow table of schema `SOFT_LABELS` (more columns are ignored) back to rows."""
    for batch in table.select(SOFT_LABELS.names).to_batches():
        for place in range(batch.num_rows):
            yield _row(batch, place)


def read_labels(store: Store, manifest: Manifest) -> Iterator[Labelled]:
    """The soft labels of a stage, one partition in memory at a time; none where the stage has none."""
    for table in tables_of(store, manifest, KIND):
        yield from labels_from(table)


def _row(batch: pa.RecordBatch, place: int) -> Labelled:
    k = batch["k"][place].as_py()
    flat = {
        name: batch[name][place].values.to_numpy(zero_copy_only=False)
        for name in ("token_ids", "logprobs", "top_ids", "top_logprobs")
    }
    labels = TokenLabels(
        flat["token_ids"], flat["logprobs"], flat["top_ids"].reshape(-1, k), flat["top_logprobs"].reshape(-1, k)
    )
    names = ("id", "text_hash", "request_key", "start")
    row, text_of, request, start = (batch[name][place].as_py() for name in names)
    return Labelled(
        row, text_of, request, start, labels, batch["teacher"][place].as_py(), batch["tokenizer"][place].as_py()
    )


def _lists(parts: Sequence[np.ndarray], kind: np.dtype) -> pa.ListArray:
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int32)
    values = np.concatenate(parts).astype(kind) if parts else np.empty(0, kind)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))
