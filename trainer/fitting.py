"""Windows fitted with whole documents: best-fit decreasing, documents longer than a window split, no token left out.

Where each document has to see itself alone and from its beginning (soft labels made a document at a time, replies to an
instruction), windows are not cut from the stream. Documents are split into pieces of at most `context` tokens, and
pieces are put, the longest first, into the window with the least room that still holds them (Ding et al. 2024, "Fewer
truncations improve language modeling"). Room that stays is padding, which costs time and counts nowhere.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from functools import lru_cache

import numpy as np

from trainer.batches import Places


class Documents:
    """Windows of whole documents. `offsets`: where each begins in the stream, and one past the last EOS."""

    def __init__(self, offsets: np.ndarray, context: int, *, given: bool = False) -> None:
        """`given`: windows come in the order of their first pieces in the stream."""
        self._context, self._given = context, given
        self._starts, self._lengths = pieces(np.asarray(offsets), context)
        self._bins = sorted(fit(self._lengths, context), key=min)

    @property
    def windows(self) -> int:
        """Windows of one epoch."""
        return len(self._bins)

    @property
    def filled(self) -> float:
        """Share of the windows' room that holds tokens."""
        return float(self._lengths.sum()) / (len(self._bins) * self._context)

    def places(self, seed: int, step: int, windows: int) -> Places:
        """Where the tokens of `step` lie; each piece's inputs, and its targets one place on."""
        inputs = np.full((windows, self._context), -1, dtype=np.int64)
        for row, number in enumerate(range(step * windows, (step + 1) * windows)):
            epoch, place = divmod(number, len(self._bins))
            column = 0
            for piece in self._bins[self._order(seed, epoch)[place]]:
                length = int(self._lengths[piece])
                inputs[row, column : column + length] = self._starts[piece] + np.arange(length)
                column += length
        return Places(inputs, np.where(inputs < 0, -1, inputs + 1))

    def _order(self, seed: int, epoch: int) -> np.ndarray:
        return np.arange(len(self._bins)) if self._given else _permutation(seed, epoch, len(self._bins))


def pieces(offsets: np.ndarray, context: int) -> tuple[np.ndarray, np.ndarray]:
    """(first input, number of inputs) of every piece: a document's inputs are the EOS before it and its own tokens."""
    starts, ends = offsets[:-1] - 1, offsets[1:] - 1
    counts = -(-(ends - starts) // context)
    document = np.repeat(np.arange(len(starts)), counts)
    number = np.arange(len(document)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = starts[document] + number * context
    return first, np.minimum(context, ends[document] - first)


def fit(lengths: np.ndarray, room: int) -> list[list[int]]:
    """Piece numbers by window: each piece, the longest first, goes where the least room remains that holds it."""
    bins: list[list[int]] = []
    open_bins: list[tuple[int, int]] = []  # (room left, window), sorted
    for piece in np.argsort(-lengths, kind="stable").tolist():
        length = int(lengths[piece])
        place = bisect_left(open_bins, (length, -1))
        if place < len(open_bins):
            left, window = open_bins.pop(place)
        else:
            left, window = room, len(bins)
            bins.append([])
        bins[window].append(piece)
        if left > length:
            insort(open_bins, (left - length, window))
    return bins


@lru_cache(maxsize=4)
def _permutation(seed: int, epoch: int, count: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64([seed, epoch])).permutation(count)
