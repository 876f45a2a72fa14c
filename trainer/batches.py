"""Which tokens a step sees: a pure function of (seed, packed corpus, step), so that resuming needs one integer.

The stream is cut into windows of `context` tokens; an epoch is a permutation of all windows, drawn from the seed and
the epoch's number, and steps simply walk along the epochs. Windows that do not fit at the end of the stream are
reached too: each epoch shifts its grid by a random part of the remainder.
Targets are the inputs one place on. Documents inside a window are separated by EOS only (see `packing`).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from corpus.errors import RecipeError
from trainer.packing import TokenShards


def batch(seed: int, step: int, shards: TokenShards, *, windows: int, context: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of `step`, each int64 of shape (windows, context)."""
    starts = window_starts(seed, step, shards.pack["tokens"], windows=windows, context=context)
    index = starts[:, None] + np.arange(context + 1)
    rows = np.asarray(shards.tokens[index], dtype=np.int64)
    return rows[:, :-1], rows[:, 1:]


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
