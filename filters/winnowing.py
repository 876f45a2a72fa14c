"""Hashes of all windows of a text's words at once, and a tenth of them that any two equal passages agree on.

Winnowing (Schleimer, Wilkerson and Aiken 2003): of every `width` neighbouring windows the one with the smallest hash is
taken, of equal ones the last. Equal passages of `width + size - 1` words hold `width` equal windows, so the same one is
taken of both.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from filters.runs import MIX, STEP

BLOCK = 1 << 17  # windows worked on at a time: they stay in the processor's cache
PLACE = np.uint64((1 << 24) - 1)  # these bits of a hash give way to the place, so that one minimum finds both
INVERSE = np.uint64(pow(int(STEP), -1, 1 << 64))


def window_hashes(words: np.ndarray, size: int) -> np.ndarray:
    """A uint64 for every `size` neighbouring words (uint64 hashes) of a flat array: [len(words) - size + 1].

    A polynomial over the words, taken from one running sum, so its cost does not depend on `size`.
    """
    mixed = np.empty(max(0, len(words) - size + 1), np.uint64)
    for begin in range(0, len(mixed), BLOCK):
        block = words[begin : begin + BLOCK + size - 1]
        powers, inverses = _powers(len(block))
        sums = np.zeros(len(block) + 1, np.uint64)
        np.cumsum(block * powers[: len(block)], out=sums[1:])
        found = mixed[begin : begin + BLOCK]
        np.subtract(sums[size:], sums[:-size], out=found)
        found *= inverses[: len(found)]
        found ^= found >> np.uint64(32)
        found *= MIX
        found ^= found >> np.uint64(29)
    return mixed


def windows_inside(cuts: np.ndarray, size: int) -> np.ndarray:
    """Where a window of `size` words that lies in one text begins, bool for each word of texts cut by `cuts` [n + 1]."""
    inside = np.ones(int(cuts[-1]), bool)
    for place in range(1, size):
        ends = cuts[1:] - place
        inside[ends[ends >= 0]] = False
    return inside


def shape(least: int) -> tuple[int, int]:
    """(words of a window, windows of which one is taken) with which no equal passage of `least` words is missed."""
    width = max(1, least // 2)
    return least - width + 1, width


def winnowed(words: np.ndarray, cuts: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Flat places, int64 and rising, and hashes of the windows taken from texts cut by `cuts` [n + 1]."""
    size, width = shape(least)
    hashes, inside = window_hashes(words, size), windows_inside(cuts, least)
    places = [np.zeros(0, np.int64)]
    for begin in range(0, len(words) - least + 1, BLOCK):
        block = hashes[begin : begin + BLOCK + width - 1] & ~PLACE
        block |= np.arange(len(block), 0, -1, dtype=np.uint64)  # so the last of equals is the smallest
        found = (lowest(block, width) & PLACE)[inside[begin : begin + BLOCK][: len(block) - width + 1]]
        places.append(begin + len(block) - found.astype(np.int64))
    flat = np.concatenate(places)
    flat = flat[np.diff(flat, prepend=-1) != 0]
    return flat, hashes[flat]


def lowest(values: np.ndarray, width: int) -> np.ndarray:
    """The smallest of every `width` neighbours: [len(values) - width + 1]."""
    span = 1
    while span < width:
        step = min(span, width - span)
        values = np.minimum(values[:-step], values[step:])
        span += step
    return values


def _powers(count: int) -> tuple[np.ndarray, np.ndarray]:
    """At least `count` powers of the base, and of its inverse."""
    return _raised(1 << max(17, (count - 1).bit_length()))


@cache
def _raised(count: int) -> tuple[np.ndarray, np.ndarray]:
    made = []
    for base in (STEP, INVERSE):
        values = np.full(count, base, np.uint64)
        values[0] = 1
        made.append(np.multiply.accumulate(values))
    return made[0], made[1]
