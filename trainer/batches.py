"""Which tokens a step sees: a pure function of (seed, packed corpus, step), so that resuming needs one integer.

A plan says for each window where its inputs and targets lie in the packed stream. `Stream` cuts the stream into windows
of `context` tokens; windows that do not fit at its end are reached too, because each epoch shifts the grid by a random
part of the remainder. `Documents` (trainer/fitting.py) fits whole documents into windows. In both, an epoch is a
permutation of all windows, drawn from the seed and the epoch's number, and steps simply walk along the epochs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from corpus.errors import RecipeError
from trainer.packing import TokenShards

IGNORED = -100  # a target that no loss counts: padding, a prompt


@dataclass(frozen=True, slots=True)
class Places:
    """Where a step's tokens lie in the stream: `inputs` and `targets`, int64 (windows, context); −1 for padding."""

    inputs: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True, slots=True)
class Batch:
    """One step: `inputs` and `targets` int64 (windows, context), and their `places` in the stream.

    A target that does not count is −100. `positions` restart at each document and `segments` number the documents of a
    window; both are None where documents are not kept apart.
    """

    inputs: np.ndarray
    targets: np.ndarray
    places: Places
    positions: np.ndarray | None
    segments: np.ndarray | None

    @property
    def counted(self) -> int:
        """Targets that count."""
        return int((self.targets != IGNORED).sum())


class Plan(Protocol):
    """How windows are laid over a packed corpus."""

    def places(self, seed: int, step: int, windows: int) -> Places:
        """Where the tokens of `step` lie."""
        ...


class Stream:
    """Windows cut from the stream as it runs."""

    def __init__(self, tokens: int, context: int, *, given: bool = False) -> None:
        """`given`: windows come in the order of the stream, for texts whose order is the question."""
        self._tokens, self._context, self._given = tokens, context, given

    def places(self, seed: int, step: int, windows: int) -> Places:
        """Where the tokens of `step` lie."""
        if self._given:
            places = step * windows + np.arange(windows)
            starts = places % epoch_windows(self._tokens, self._context) * self._context
        else:
            starts = window_starts(seed, step, self._tokens, windows=windows, context=self._context)
        inputs = starts[:, None] + np.arange(self._context)
        return Places(inputs, inputs + 1)


def gather(shards: TokenShards, places: Places, *, masked: bool) -> Batch:
    """The tokens at these places; targets in a part of a document that does not count (a prompt) are ignored."""
    eos = shards.pack["eos"]
    tokens = np.asarray(shards.tokens[places.inputs], dtype=np.int64)
    tokens[places.inputs < 0] = eos
    targets = np.asarray(shards.tokens[places.targets], dtype=np.int64)
    counts = places.targets >= 0
    if shards.counted is not None:
        counts &= np.asarray(shards.counted[places.targets], dtype=bool)
    targets[~counts] = IGNORED
    if not masked:
        return Batch(tokens, targets, places, None, None)
    segments = _segments(tokens, places.inputs, eos)
    return Batch(tokens, targets, places, _positions(segments), segments)


def batch(seed: int, step: int, shards: TokenShards, *, windows: int, context: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of `step` over the stream as it runs, each int64 of shape (windows, context)."""
    found = gather(shards, Stream(shards.pack["tokens"], context).places(seed, step, windows), masked=False)
    return found.inputs, found.targets


def window_starts(seed: int, step: int, tokens: int, *, windows: int, context: int) -> np.ndarray:
    """Where the windows of `step` begin in a stream of `tokens`; shape (windows,). An epoch border may fall inside."""
    per_epoch = epoch_windows(tokens, context)
    places = step * windows + np.arange(windows)
    return np.asarray([_epoch(seed, int(place // per_epoch), tokens, context)[place % per_epoch] for place in places])


def epoch_windows(tokens: int, context: int) -> int:
    """Windows in one epoch over a stream of `tokens`. Raises `RecipeError` when not even one fits."""
    count = (tokens - 1) // context
    if count < 1:
        raise RecipeError(
            f"the packed corpus has {tokens} tokens, fewer than one window of context {context} + 1",
            hint="keep more text, or set student.model.context lower",
        )
    return count


@lru_cache(maxsize=4)
def _epoch(seed: int, epoch: int, tokens: int, context: int) -> np.ndarray:
    random = np.random.Generator(np.random.PCG64([seed, epoch]))
    count = epoch_windows(tokens, context)
    shift = random.integers(0, tokens - 1 - count * context, endpoint=True)
    return random.permutation(count) * context + shift


def _segments(tokens: np.ndarray, places: np.ndarray, eos: int) -> np.ndarray:
    """Number of the document at each place: a new one begins at each EOS and wherever the stream is left."""
    begins = tokens == eos
    begins[:, 1:] |= places[:, 1:] != places[:, :-1] + 1
    begins[:, 0] = True
    return np.cumsum(begins, axis=1)


def _positions(segments: np.ndarray) -> np.ndarray:
    """Place inside the document."""
    here = np.broadcast_to(np.arange(segments.shape[1]), segments.shape)
    begins = np.diff(segments, axis=1, prepend=0) > 0
    return here - np.maximum.accumulate(np.where(begins, here, 0), axis=1)
