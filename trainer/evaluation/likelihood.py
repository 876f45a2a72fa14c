"""Log-likelihoods of tokens: of whole texts, and of continuations after a context.

A continuation is tokenised together with its context, as in lm-evaluation-harness, whose per-item figures these are
(`bench/evaluation.py` compares them). Everything starts after the student's start token.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from trainer.evaluation.student import Student

LOGITS = 1 << 22  # numbers of logits in one pass: 16 MiB, which a cache can nearly hold


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Of one continuation: `nats` is minus its log-likelihood; `greedy` says whether each token was the likeliest."""

    nats: float
    greedy: bool
    tokens: int
    bytes: int


def token_nats(student: Student, texts: Sequence[Sequence[int]]) -> list[np.ndarray]:
    """Nats of each token of each text (float64). A text longer than the context is cut into windows, each after the
    start token, so the first tokens of later windows see less than they might: the same for students of one context."""
    size = student.context - 1
    windows = [(row, ids[at : at + size]) for row, ids in enumerate(texts) for at in range(0, len(ids), size)]
    found: list[list[np.ndarray]] = [[] for _ in texts]
    nats = [np.zeros(0)] * len(windows)
    for place, values, _ in _passes(student, [[student.start, *part] for _, part in windows]):
        nats[place] = values
    for (row, _), values in zip(windows, nats, strict=True):
        found[row].append(values)
    return [np.concatenate(parts) if parts else np.zeros(0) for parts in found]


def likelihoods(student: Student, pairs: Sequence[tuple[str, str]]) -> list[Likelihood]:
    """Of each (context, continuation). What does not fit into the student's context is cut at its left end."""
    rows, lengths = _joined(student, pairs)
    found: list[Likelihood | None] = [None] * len(pairs)
    for place, nats, likeliest in _passes(student, rows):
        length = min(lengths[place], len(nats))
        size = len(pairs[place][1].encode())
        found[place] = Likelihood(float(nats[-length:].sum()), bool(likeliest[-length:].all()), length, size)
    return [item for item in found if item is not None]


def _joined(student: Student, pairs: Sequence[tuple[str, str]]) -> tuple[list[list[int]], list[int]]:
    """Token rows, start token first, and how many of the last tokens are the continuation's."""
    parts = [_space_moved(*pair) for pair in pairs]
    whole = student.encode([context + continuation for context, continuation in parts])
    contexts = student.encode([context for context, _ in parts])
    lengths = [max(1, len(ids) - len(before)) for ids, before in zip(whole, contexts, strict=True)]
    return [[student.start, *ids][-(student.context + 1) :] for ids in whole], lengths


def _space_moved(context: str, continuation: str) -> tuple[str, str]:
    """Spaces at the end of a context belong to the word that follows."""
    bare = context.rstrip()
    return bare, context[len(bare) :] + continuation


def _passes(student: Student, rows: Sequence[Sequence[int]]) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """(place, nats of each token after the first, whether it was the likeliest) of each row; rows of like length together."""
    order = sorted(range(len(rows)), key=lambda place: -len(rows[place]))
    vocabulary, at = int(student.model.config.vocab_size), 0
    while at < len(order):
        longest = len(rows[order[at]])
        group = order[at : at + max(1, LOGITS // (vocabulary * max(1, longest)))]
        at += len(group)
        yield from zip(group, *_scored(student, [rows[place] for place in group]), strict=True)


def _scored(student: Student, rows: list[Sequence[int]]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    longest = max(map(len, rows))
    padded = torch.tensor([[*row, *([student.start] * (longest - len(row)))] for row in rows], device=student.device)
    inputs, targets = padded[:, :-1], padded[:, 1:]
    with torch.inference_mode():
        logits = student.model(input_ids=inputs).logits.float()
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    nats = loss.view(targets.shape).double().cpu().numpy()
    best = (logits.argmax(-1) == targets).cpu().numpy()
    ends = [len(row) - 1 for row in rows]
    return [nats[row, :end] for row, end in enumerate(ends)], [best[row, :end] for row, end in enumerate(ends)]
