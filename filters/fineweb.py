"""FineWeb's own statistics (Penedo et al. 2024, section 3.5), over lines that are more than blanks, as they stand."""

from __future__ import annotations

import numpy as np

from filters.batch import Batch
from filters.marks import TERMINAL
from filters.repetition import repeated_line_characters
from filters.segments import ratio

SHORT_LINE = 30  # characters


def score(batch: Batch) -> dict[str, np.ndarray]:
    """Punctuated lines, short lines, repeated lines by characters, and line feeds a word."""
    lines = batch.lines
    visible, seen = lines.visible, lines.widths > 0
    ends = lines.texts.str.slice(-1).str.contains(TERMINAL).to_numpy()
    return {
        "fineweb.punctuated_lines": ratio(lines.count(ends & seen), visible),
        "fineweb.short_lines": ratio(lines.count((lines.lengths <= SHORT_LINE) & seen), visible),
        "fineweb.repeated_line_characters": ratio(repeated_line_characters(lines), batch.characters - lines.breaks),
        "fineweb.breaks_per_word": ratio(lines.breaks, batch.words.counts),
    }
