"""Secrets and personal data: where they are, of which kind, and a copy of the text without them.

Patterns find candidates, validators confirm them (`filters.sensitive_kinds`); `filters.sensitive_search` runs them.

Not found: names, postal addresses, and secrets without a shape of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from filters.config import FilterConfig, Policy
from filters.sensitive_kinds import KINDS, NAMES, Kind
from filters.sensitive_search import GATES, Joined, Spans, joined, open_gates, search

BLOCK = 1 << 20  # bytes of text searched at a time: they stay in the processor's caches, and their memory is used again


@dataclass(frozen=True, slots=True)
class Finding:
    """Characters `start` to `end` of a text are sensitive, and of which kind."""

    kind: str
    start: int
    end: int


def find(text: str, kinds: Mapping[str, Kind] | None = None) -> list[Finding]:
    """All findings in reading order; they never overlap. `kinds` limits the search."""
    data = text.encode(errors="surrogatepass")
    found = _in_one(data, kinds)
    if len(data) == len(text) or not found:
        return found
    begins = np.cumsum((np.frombuffer(data, np.uint8) & 0xC0) != 0x80)  # characters up to each byte, itself included
    return [Finding(item.kind, int(begins[item.start]) - 1, int(begins[item.end - 1])) for item in found]


def redact(text: str, kinds: Mapping[str, Kind] | None = None) -> tuple[str, dict[str, int]]:
    """The text with each finding replaced by its kind in angle brackets, and how many there were of each kind."""
    data = text.encode(errors="surrogatepass")
    findings = _in_one(data, kinds)
    return _replaced(data, findings) if findings else text, _counts(findings)


def redact_all(texts: pl.Series, kinds: Mapping[str, Kind] | None = None) -> dict[int, tuple[str, dict[str, int]]]:
    """The same for a column, by number of the text, where anything was replaced."""
    return {
        index: (_replaced(texts[index].encode(), findings), _counts(findings))
        for index, findings in findings_of(texts, kinds)
    }


def score(texts: pl.Series) -> dict[str, np.ndarray]:
    """Findings of each kind in each text, int32."""
    counts = np.zeros((len(KINDS), len(texts)), np.int32)
    for rows, _, spans in _searched(texts, KINDS):
        np.add.at(counts, (spans.kinds, rows), 1)
    return {f"sensitive.{name}": counts[number] for number, name in enumerate(NAMES)}


def findings_of(texts: pl.Series, kinds: Mapping[str, Kind] | None = None) -> Iterator[tuple[int, list[Finding]]]:
    """(number of the text, its findings by place in its UTF-8) of the texts that have any, in their order."""
    asked = _asked(kinds)
    for rows, low, spans in _searched(texts, asked):
        cuts = np.flatnonzero(np.diff(rows, prepend=-1, append=len(texts)))
        names = (asked[number].name for number in spans.kinds.tolist())
        found = list(map(Finding, names, (spans.starts - low).tolist(), (spans.ends - low).tolist()))
        for start, end in pairwise(cuts.tolist()):
            yield int(rows[start]), found[start:end]


def policies(config: FilterConfig) -> dict[str, Policy]:
    """What happens to each kind: the recipe's word for it, else `report` if the recipe only reports, else its own."""
    default = {kind.name: kind.policy if config.sensitive == "drop" else "report" for kind in KINDS}
    return {name: config.policy.get(name, policy) for name, policy in default.items()}


def masked_kinds(config: FilterConfig) -> dict[str, Kind]:
    """The kinds whose findings are replaced in texts that are read: an edit, done in the stage that cleans."""
    return {kind.name: kind for kind in KINDS if policies(config)[kind.name] == "mask"}


def _counts(findings: Sequence[Finding]) -> dict[str, int]:
    return dict(Counter(finding.kind for finding in findings))


def _replaced(data: bytes, findings: Sequence[Finding]) -> str:
    """A text with its findings, by place in its bytes, replaced."""
    pieces, last = [], 0
    for finding in findings:
        pieces += [data[last : finding.start], f"<{finding.kind}>".encode()]
        last = finding.end
    return b"".join([*pieces, data[last:]]).decode(errors="surrogatepass")


def _in_one(data: bytes, kinds: Mapping[str, Kind] | None) -> list[Finding]:
    asked = _asked(kinds)
    spans = search(Joined(data, np.array([0, len(data) + 1])), dict.fromkeys(GATES, np.zeros(1, np.int64)), asked)
    names = (asked[number].name for number in spans.kinds.tolist())
    return list(map(Finding, names, spans.starts.tolist(), spans.ends.tolist()))


def _searched(texts: pl.Series, kinds: Sequence[Kind]) -> Iterator[tuple[np.ndarray, np.ndarray, Spans]]:
    """For each finding the number of its text, where that begins, and the finding; a block of texts after the other."""
    for first, block in _blocks(texts):
        whole = joined(block)
        spans = search(whole, open_gates(block, whole), kinds)
        rows = whole.owners(spans.starts)
        yield rows + first, whole.starts[rows], spans


def _blocks(texts: pl.Series) -> Iterator[tuple[int, pl.Series]]:
    """Runs of texts of about `BLOCK` bytes, and the number of the first of each."""
    ends = np.cumsum(texts.str.len_bytes().to_numpy(), dtype=np.int64)
    cuts = np.searchsorted(ends, np.arange(BLOCK, ends[-1] if len(ends) else 0, BLOCK))
    for first, after in pairwise(np.unique(np.concatenate([[0], cuts, [len(texts)]])).tolist()):
        yield first, texts.slice(first, after - first)


def _asked(kinds: Mapping[str, Kind] | None) -> Sequence[Kind]:
    return KINDS if kinds is None else tuple(kinds.values())
