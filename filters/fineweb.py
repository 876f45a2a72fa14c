"""FineWeb's own statistics (Penedo et al. 2024, section 3.5), over non-blank lines."""

from __future__ import annotations

import numpy as np

from filters.batch import Batch
from filters.repetition import repeated_line_characters
from filters.segments import ratio

PUNCTUATED = r"""[.!?"'…。！？”’]$"""  # FineWeb's marks and the Chinese ones
SHORT_LINE = 30  # characters


def score(batch: Batch) -> dict[str, np.ndarray]:
    """Punctuated lines, short lines, repeated lines by characters, and line feeds a word."""
    lines = batch.lines
    return {
        "fineweb.punctuated_lines": ratio(lines.count(lines.texts.str.contains(PUNCTUATED)), lines.counts),
        "fineweb.short_lines": ratio(lines.count(lines.lengths <= SHORT_LINE), lines.counts),
        "fineweb.repeated_line_characters": ratio(repeated_line_characters(lines), batch.characters - lines.breaks),
        "fineweb.breaks_per_word": ratio(lines.breaks, batch.words.counts),
    }
