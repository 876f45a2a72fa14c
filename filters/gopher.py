"""Gopher's quality statistics (Rae et al. 2021, table A1), each counted as datatrove counts it.

A word of marks alone is a symbol: it counts for the shares, not for number and length of words. `#` and ellipsis are
counted in the text; lines are those of every Unicode boundary, empty ones included.
"""

from __future__ import annotations

import numpy as np

from filters.batch import Batch
from filters.marks import SYMBOL
from filters.segments import ratio, sums
from filters.words import IDEOGRAPHS

STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
BULLETS = ("•", "-")


def score(batch: Batch) -> dict[str, np.ndarray]:
    """Word and line statistics; `gopher.ideographs` tells rules about word length where they mean nothing."""
    words, lines = batch.words, batch.broken
    counts, total = words.counts, lines.breaks + 1 - lines.closes
    spoken = ~words.matching(f"^{SYMBOL}+$")

    def per_text(values: np.ndarray) -> np.ndarray:
        return sums(values[words.codes], words.offsets)

    number = per_text(spoken)
    ellipsis = lines.stripped.str.ends_with("...") | lines.stripped.str.ends_with("…")
    bullet = lines.stripped.str.starts_with(BULLETS[0]) | lines.stripped.str.starts_with(BULLETS[1])
    dots = batch.texts.str.count_matches("...", literal=True) + batch.texts.str.count_matches("…", literal=True)
    return {
        "gopher.words": number.astype(np.int32),
        "gopher.mean_word_length": ratio(per_text(words.lengths * spoken), number),
        "gopher.hashes": ratio(batch.texts.str.count_matches("#", literal=True).to_numpy(), counts),
        "gopher.ellipses": ratio(dots.to_numpy(), counts),
        "gopher.bullet_lines": ratio(lines.count(bullet), total),
        "gopher.ellipsis_lines": ratio(lines.count(ellipsis), total),
        "gopher.alphabetic_words": ratio(per_text(words.matching(r"\p{L}")), counts),
        "gopher.stop_words": _distinct(batch, words.among(STOP_WORDS)),
        "gopher.ideographs": ratio(per_text(words.matching(f"[{IDEOGRAPHS}]")), counts),
    }


def _distinct(batch: Batch, flags: np.ndarray) -> np.ndarray:
    """How many different flagged words each document has."""
    words = batch.words
    found = np.flatnonzero(flags)
    bits = np.zeros(len(flags), dtype=np.uint16)
    bits[found] = 1 << np.arange(len(found))
    total = np.zeros(len(batch), dtype=np.int32)
    filled = np.flatnonzero(words.counts)
    if filled.size:
        held = np.bitwise_or.reduceat(bits[words.codes], words.offsets[filled])
        total[filled] = np.unpackbits(held.view(np.uint8)).reshape(len(held), -1).sum(axis=1)
    return total
