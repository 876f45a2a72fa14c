"""Gopher's quality statistics (Rae et al. 2021, table A1; formulas as datatrove computes them, on our words)."""

from __future__ import annotations

import numpy as np

from filters.batch import Batch
from filters.segments import ratio, sums
from filters.words import IDEOGRAPHS

STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
BULLET = r"^[•\-*]"  # Gopher names the bullet point; hyphen as in datatrove, asterisk because of Markdown
ELLIPSIS_END = r"(?:\.\.\.|…)$"


def score(batch: Batch) -> dict[str, np.ndarray]:
    """Word and line statistics; `gopher.ideographs` tells rules about word length where they mean nothing."""
    words, lines = batch.words, batch.lines
    counts = words.counts

    def share(flags: np.ndarray) -> np.ndarray:
        return ratio(sums(flags[words.codes], words.offsets), counts)

    hashes = batch.texts.str.count_matches("#", literal=True).to_numpy()
    ellipses = batch.texts.str.count_matches(r"\.\.\.|…").to_numpy()
    return {
        "gopher.words": counts.astype(np.int32),
        "gopher.mean_word_length": ratio(sums(words.lengths[words.codes], words.offsets), counts),
        "gopher.hashes": ratio(hashes, counts),
        "gopher.ellipses": ratio(ellipses, counts),
        "gopher.bullet_lines": ratio(lines.count(lines.texts.str.contains(BULLET)), lines.counts),
        "gopher.ellipsis_lines": ratio(lines.count(lines.texts.str.contains(ELLIPSIS_END)), lines.counts),
        "gopher.alphabetic_words": share(words.matching(r"\p{L}")),
        "gopher.stop_words": _distinct(batch, words.among(STOP_WORDS)),
        "gopher.ideographs": share(words.matching(f"[{IDEOGRAPHS}]")),
    }


def _distinct(batch: Batch, flags: np.ndarray) -> np.ndarray:
    """How many different flagged words each document has."""
    found = np.flatnonzero(flags)
    total = np.zeros(len(batch), dtype=np.int32)
    for code in found:
        total += sums(batch.words.codes == code, batch.words.offsets) > 0
    return total
