"""Bits per byte by panel, domain, source and language, and what the student knows: names and numbers apart.

Three panels say different things and are never averaged: curated-like text, raw web, and text that is neither. Curated
data wins on the first for free; the others show what it costs. Bytes of names and numbers are the part of a text that is
not grammar but knowledge: a student that reads less about the world pays there first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.evaluate import BpbResult
from trainer.evaluation.likelihood import token_nats
from trainer.evaluation.student import Student

KNOWLEDGE = re.compile(r"\d[\d.,:/-]*|(?<![.!?:\n]\s)(?<=\s)[A-Z][^\W\d_]+(?:[-'’][^\W\d_]+)*")
AXES = ("domain", "source", "language")


@dataclass(frozen=True)
class Panel:
    """Held-out texts, with what each is (a value of every axis)."""

    texts: Sequence[str]
    axes: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class PanelScore:
    """`all` over the panel's bytes; `by` a mean for each value of an axis; `knowledge` over names and numbers alone."""

    all: BpbResult
    knowledge: BpbResult
    by: Mapping[str, Mapping[str, float]]


def score_panel(student: Student, panel: Panel) -> PanelScore:
    """One pass over the panel's texts."""
    encoded = student.tokenizer.encode_batch(list(panel.texts), add_special_tokens=False)
    nats = token_nats(student, [item.ids for item in encoded])
    whole = _result([float(values.sum()) for values in nats], [len(text.encode()) for text in panel.texts])
    parts = [
        _knowledge(text, item.offsets, values) for text, item, values in zip(panel.texts, encoded, nats, strict=True)
    ]
    known = _result([part[0] for part in parts], [part[1] for part in parts])
    by = {axis: _means(whole, labels) for axis, labels in panel.axes.items() if len(set(labels)) > 1}
    return PanelScore(whole, known, by)


def _knowledge(text: str, offsets: Sequence[tuple[int, int]], nats: np.ndarray) -> tuple[float, int]:
    """(nats, bytes) of the tokens that hold part of a name or a number. A token's leading space is its own."""
    marked = np.zeros(len(text) + 1, bool)
    for found in KNOWLEDGE.finditer(text):
        marked[found.start() : found.end()] = True
    total, covered = 0.0, np.zeros(len(text) + 1, bool)
    for (start, end), value in zip(offsets, nats, strict=True):
        if marked[start:end].any():
            total += float(value)
            covered[start:end] = True
    return total, len("".join(text[place] for place in np.flatnonzero(covered)).encode())


def _result(nats: Sequence[float], sizes: Sequence[int]) -> BpbResult:
    values, counts = np.asarray(nats, float), np.asarray(sizes, np.int64)
    return BpbResult(float(values.sum() / math.log(2) / max(1, counts.sum())), values, counts)


def _means(whole: BpbResult, labels: Sequence[str]) -> dict[str, float]:
    names = np.asarray(labels)
    return {
        str(name): float(whole.nats[names == name].sum() / math.log(2) / max(1, whole.bytes[names == name].sum()))
        for name in np.unique(names)
    }
