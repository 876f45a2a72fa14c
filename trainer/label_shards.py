"""Soft labels beside the packed tokens: for every place of the stream what the teacher would have said there.

Labels come by document, in the teacher's ids. They are laid out like the tokens, in the student's ids, and only if they
belong there: same tokenizer, the same tokens in the same places (so a cache that is off by one is refused, and named as
such), log-probabilities that agree with each other, and one teacher. Documents without labels are learned from their
text alone. What the student's vocabulary lacks is dropped, and its mass counted.

Files: `label_ids.bin` (uint16 or uint32 [tokens, k]), `label_logs.bin` (float16 [tokens, k], −∞ where there is none),
`labels.json`, written last.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import StateError
from corpus.ids import digest
from corpus.soft_labels import DRAWN, Labelled
from trainer import files
from trainer.packing import TokenShards
from trainer.trimmed import KEPT, kept_ids, origin

LABELS, IDS, LOGS = "labels.json", "label_ids.bin", "label_logs.bin"
MOST_IDS = 1 << 20  # whatever id a teacher may send
AGREES, TOLERANCE = 0.98, 0.02  # share of tokens whose two log-probabilities may not differ by more, in nats


@dataclass(frozen=True)
class LabelShards:
    """Open labels. `facts` is the content of `labels.json`."""

    folder: Path
    facts: dict[str, Any]

    @property
    def identity(self) -> str:
        """Hash of the labels, their teacher, and the packed corpus that they belong to."""
        return str(self.facts["identity"])

    @cached_property
    def ids(self) -> np.ndarray:
        """Token ids of the student, the likeliest first, memory-mapped; [tokens, k]."""
        return np.memmap(self.folder / IDS, dtype=self.facts["dtype"], mode="r").reshape(-1, self.facts["k"])

    @cached_property
    def logs(self) -> np.ndarray:
        """Their log-probabilities, −∞ where there is none, memory-mapped; float16 [tokens, k]."""
        return np.memmap(self.folder / LOGS, dtype=np.float16, mode="r").reshape(-1, self.facts["k"])


def lay_out(
    rows: Iterable[tuple[int, Labelled]], shards: TokenShards, tokenizer: Path, out: Path
) -> LabelShards:  # fmt: skip
    """Write the labels of documents by their number in `shards`; kept when `out` holds them already.

    Raises `StateError` for labels that do not belong to these tokens, and says why.
    """
    if (out / LABELS).is_file():
        return open_labels(out, shards)
    new = renumbering(tokenizer, shards.pack["vocab_size"])
    layout = _Layout(shards, new, tokenizer)
    with files.whole_folder(out) as folder:
        for number, row in rows:
            layout.add(number, row)
        layout.write(folder)
    return open_labels(out, shards)


def check_origin(row: Labelled, tokenizer: Path) -> None:
    """Raise `StateError` unless the labels are in the tokens that `tokenizer` is, or was cut from."""
    if row.tokenizer.rpartition("@")[2] != origin(tokenizer):
        raise StateError(f"labels of document {row.id}: made with tokenizer {row.tokenizer}, but the student's comes from {origin(tokenizer)}",
                         hint="label with the teacher whose tokenizer the student has")  # fmt: skip


def open_labels(path: Path, shards: TokenShards) -> LabelShards:
    """Open labels after checking every file. Raises `StateError` when they are of another packed corpus."""
    try:
        facts = json.loads((path / LABELS).read_bytes())
    except (FileNotFoundError, ValueError) as error:
        raise StateError(f"{path / LABELS}: {error}", hint="lay the labels out again") from error
    if facts["pack"] != shards.identity:
        raise StateError(f"{path}: labels of another packed corpus than {shards.folder}", hint="lay them out again")
    files.verify(path, facts["checksums"])
    return LabelShards(path, facts)


class _Layout:
    """Labels on their way to the stream's places."""

    def __init__(self, shards: TokenShards, new: np.ndarray, tokenizer: Path) -> None:
        self._shards, self._new, self._home, self._tokenizer = shards, new, tokenizer, origin(tokenizer)
        self._rows: list[tuple[int, np.ndarray, np.ndarray]] = []
        self._teacher = ""
        self._mass = np.zeros(2)  # of entries that were kept, of all

    def add(self, number: int, row: Labelled) -> None:
        """Check one document's labels and take them."""
        shown = f"labels of document {row.id}"
        check_origin(row, self._home)
        if self._teacher not in ("", row.teacher):
            raise StateError(
                f"{shown}: of teacher {row.teacher}, others are of {self._teacher}", hint="use labels of one teacher"
            )
        self._teacher = row.teacher
        self._same_tokens(number, row, shown)
        self._agreeing(row, shown)
        used = np.isfinite(row.labels.top_logprobs).any(0)
        ids, logs = self._new[row.labels.top_ids[:, used]], row.labels.top_logprobs[:, used].astype(np.float16)
        self._mass += [np.exp(logs[ids >= 0], dtype=np.float64).sum(), np.exp(logs, dtype=np.float64).sum()]
        first = int(self._shards.offsets[number])
        self._rows.append((first, ids, np.where(ids < 0, -np.inf, logs).astype(np.float16)))

    def write(self, folder: Path) -> None:
        """Both files, mostly holes where little is labelled, and the facts."""
        tokens, k = self._shards.pack["tokens"], max((ids.shape[1] for _, ids, _ in self._rows), default=0)
        if not k:
            raise StateError(
                "no document of the mix has soft labels",
                hint="generate with teacher.top_logprobs, or `hornbook teacher label`",
            )
        kind = np.dtype(self._shards.pack["dtype"])
        ids = np.memmap(folder / IDS, dtype=kind, mode="w+", shape=(tokens, k))
        logs = np.memmap(folder / LOGS, dtype=np.float16, mode="w+", shape=(tokens, k))
        logs[:] = -np.inf
        for first, row_ids, row_logs in self._rows:
            ids[first : first + len(row_ids), : row_ids.shape[1]] = np.maximum(row_ids, 0)
            logs[first : first + len(row_logs), : row_logs.shape[1]] = row_logs
        ids.flush()
        logs.flush()
        facts = {
            "k": k, "dtype": kind.name, "teacher": self._teacher, "tokenizer": self._tokenizer, "pack": self._shards.identity,
            "documents": len(self._rows), "tokens": sum(len(row) for _, row, _ in self._rows),
            "mass_outside_vocabulary": round(float(1 - self._mass[0] / max(self._mass[1], 1e-9)), 5),
            "drawn": DRAWN in self._teacher,
            "checksums": {name: files.checksum(folder / name) for name in (IDS, LOGS)},
        }  # fmt: skip
        (folder / LABELS).write_text(json.dumps(facts | {"identity": digest("labels", facts)}, indent=2), "utf-8")

    def _same_tokens(self, number: int, row: Labelled, shown: str) -> None:
        packed = np.asarray(self._shards.document(number), dtype=np.int64)
        found = self._new[row.labels.token_ids]
        if len(found) == len(packed) and (found == packed).all():
            return
        if any(_shifted(found, packed, by) for by in (1, -1)):
            raise StateError(f"{shown}: off by one against the packed tokens", hint="label the text again")
        place = next(
            (n for n, (a, b) in enumerate(zip(found, packed, strict=False)) if a != b), min(len(found), len(packed))
        )
        raise StateError(
            f"{shown}: {len(found)} tokens for {len(packed)} packed ones, the first difference at token {place}",
            hint="the text was encoded otherwise: pack it with the tokenizer that the labels were made with",
        )

    def _agreeing(self, row: Labelled, shown: str) -> None:
        """A token's own log-probability must be that of its entry, where it has one: else entries stand at other tokens."""
        if DRAWN in row.teacher:
            return  # frequencies of draws are no log-probabilities
        places, columns = np.nonzero(row.labels.top_ids == row.labels.token_ids[:, None])
        apart = np.abs(row.labels.top_logprobs[places, columns].astype(np.float32) - row.labels.logprobs[places])
        if len(places) and (apart <= TOLERANCE).mean() < AGREES:
            raise StateError(
                f"{shown}: the entries do not belong to their tokens (off by one?)", hint="label the text again"
            )


def renumbering(tokenizer: Path, size: int) -> np.ndarray:
    """The student's id of each of the teacher's, −1 for those that it lacks; the same ids where nothing was trimmed."""
    new = np.full(MOST_IDS, -1, dtype=np.int64)
    kept = kept_ids(tokenizer) if (tokenizer / KEPT).is_file() else np.arange(size)
    new[kept[kept >= 0]] = np.flatnonzero(kept >= 0)
    return new


def _shifted(found: np.ndarray, packed: np.ndarray, by: int) -> bool:
    here, there = (found[by:], packed[:-by]) if by > 0 else (found[:by], packed[-by:])
    size = min(len(here), len(there))
    return size > 4 and bool((here[:size] == there[:size]).mean() > 0.9)
