"""C4's statistics (Raffel et al. 2020, section 2.2), as scores of a document: lines are counted, never cut out.

FineWeb, like us, does not use the rule that a line must end in punctuation, nor should anyone use the one on curly
brackets for technical text: both are scored, neither decides unless the recipe sets a limit.
"""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from filters.batch import Batch
from filters.segments import ratio
from filters.words import IDEOGRAPHS
from generator.length import IDEOGRAPHS as CHARACTERS

TERMINAL = r"""[.!?"'。！？”’]$"""  # C4's five marks and the Chinese ones
SENTENCE_END = (
    r"""[。！？]|[.!?]+["'”’)\]]*(?:\s|$)"""  # "Dr. Smith" counts one too many; C4's tokenizer is not at hand
)
POLICY = r"(?i-u:terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies)"
LINE_WORD = rf"[{IDEOGRAPHS}]|[^\s{IDEOGRAPHS}]+"
MIN_LINE_WORDS = 3
MAX_WORD = 1000


BETWEEN_WORDS = re.compile(rf"[\s{CHARACTERS}]+")


def score(batch: Batch) -> dict[str, np.ndarray]:
    """Sentences in usable lines, and the shares or counts of what C4 refuses."""
    lines = batch.lines
    javascript = lines.texts.str.contains(r"(?i-u:javascript)")
    policy = lines.texts.str.contains(POLICY)
    usable = _usable(lines.texts, lines.lengths) & ~javascript & ~policy
    terminal = lines.texts.str.contains(TERMINAL) & ~lines.texts.str.ends_with("...")
    ends = lines.texts.str.count_matches(SENTENCE_END).to_numpy()
    return {
        "c4.sentences": lines.count(np.maximum(ends, 1) * usable.to_numpy()).astype(np.int32),
        "c4.usable_lines": ratio(lines.count(usable), lines.counts),
        "c4.terminal_lines": ratio(lines.count(terminal), lines.counts),
        "c4.javascript_lines": ratio(lines.count(javascript), lines.counts),
        "c4.policy_lines": ratio(lines.count(policy), lines.counts),
        "c4.lorem_ipsum": batch.texts.str.count_matches(r"(?i-u:lorem ipsum)").to_numpy().astype(np.int32),
        "c4.curly_brackets": batch.texts.str.count_matches("{", literal=True).to_numpy().astype(np.int32),
    }


def _usable(texts: pl.Series, lengths: np.ndarray) -> pl.Series:
    """Lines of at least three words, none of them longer than 1,000 characters. An ideograph is a word of its own."""
    usable = (texts.str.count_matches(LINE_WORD) >= MIN_LINE_WORDS).to_numpy().copy()
    for index in np.flatnonzero(lengths > MAX_WORD):
        usable[index] &= max(map(len, BETWEEN_WORDS.split(texts[int(index)]))) <= MAX_WORD
    return pl.Series(usable)
