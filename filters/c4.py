"""C4's statistics (Raffel et al. 2020, section 2.2), as scores of a document: lines are counted, never cut out.

Which lines are looked at, and in which order a line meets the rules, is as in datatrove; an ideograph is a word of its
own. FineWeb, like us, does not use the rule that a line must end in punctuation, nor should anyone use the one on curly
brackets for technical text: both are scored, neither decides unless the recipe sets a limit.
"""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from filters.batch import Batch
from filters.lines import Lines
from filters.marks import BLANK_CLASS
from filters.segments import ratio
from filters.words import IDEOGRAPHS
from generator.length import IDEOGRAPHS as CHARACTERS

TERMINAL = r"""[.!?"'。！？”’]$"""  # C4's five marks and the Chinese ones
SENTENCE_END = (
    r"""[。！？]|[.!?]+["'”’)\]]*(?:\s|$)"""  # "Dr. Smith" counts one too many; C4's tokenizer is not at hand
)
POLICY = r"(?i-u:terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies)"
CITATION = r"\[\d*\]|\[edit\]|\[citation needed\]"
MAX_WORD = 1000  # characters

# Three words at the start of a line: ideographs, and runs of other characters; two runs have a blank between them.
_ONE, _RUN, _GAP = f"[{IDEOGRAPHS}]", f"[^{BLANK_CLASS}{IDEOGRAPHS}]+", f"[{BLANK_CLASS}]"
_FROM_ONE, _FROM_RUN = f"{_GAP}*(?:{_ONE}|{_RUN})", f"(?:{_GAP}*{_ONE}|{_GAP}+{_RUN})"
_ONE_MORE, _RUN_MORE = f"{_ONE}{_FROM_ONE}", f"{_RUN}{_FROM_RUN}"
THREE_WORDS = f"^(?:{_ONE}{_GAP}*(?:{_ONE_MORE}|{_RUN_MORE})|{_RUN}(?:{_GAP}*{_ONE_MORE}|{_GAP}+{_RUN_MORE}))"
BETWEEN_WORDS = re.compile(rf"[{BLANK_CLASS}{CHARACTERS}]+")


def score(batch: Batch) -> dict[str, np.ndarray]:
    """Sentences in usable lines, and the shares or counts of what C4 refuses."""
    lines = batch.broken
    seen, read = lines.visible, (lines.widths > 0) & ~_long_words(lines)
    read &= lines.stripped.str.contains(THREE_WORDS).to_numpy()
    texts = _without_citations(lines.stripped)
    javascript, policy, lorem, terminal = (
        texts.str.contains(pattern).to_numpy()
        for pattern in (r"(?i-u:javascript)", POLICY, r"(?i-u:lorem ipsum)", TERMINAL)
    )
    usable = read & ~javascript & ~policy
    terminal &= ~texts.str.ends_with("...").to_numpy()
    bracket = texts.str.contains("{", literal=True).to_numpy() & read & ~javascript
    ends = np.maximum(texts.str.count_matches(SENTENCE_END).to_numpy(), 1)
    return {
        "c4.sentences": lines.count(ends * usable).astype(np.int32),
        "c4.usable_lines": ratio(lines.count(usable), seen),
        "c4.terminal_lines": ratio(lines.count(terminal), seen),
        "c4.javascript_lines": ratio(lines.count(javascript), seen),
        "c4.policy_lines": ratio(lines.count(policy), seen),
        "c4.lorem_ipsum": lines.count(lorem & read).astype(np.int32),
        "c4.curly_brackets": lines.count(bracket & ~_after(lines, lorem & read)).astype(np.int32),
    }


def _without_citations(texts: pl.Series) -> pl.Series:
    cited = texts.str.contains(CITATION)
    if not cited.any():
        return texts
    shorter = pl.when(cited).then(pl.col("text").str.replace_all(CITATION, "")).otherwise("text")
    return texts.to_frame("text").select(shorter).to_series()


def _after(lines: Lines, flags: np.ndarray) -> np.ndarray:
    """Which lines stand in or behind the first flagged line of their document: what is found there comes too late to be the
    reason."""
    before = np.cumsum(flags) - flags
    first = np.r_[before, flags.sum()][lines.offsets[:-1]]
    return (before + flags - first[lines.owners]) > 0


def _long_words(lines: Lines) -> np.ndarray:
    """Lines with a word of more than 1,000 characters."""
    flags = np.zeros(len(lines.widths), dtype=bool)
    for index in np.flatnonzero(lines.widths > MAX_WORD):
        flags[index] = max(map(len, BETWEEN_WORDS.split(lines.stripped[int(index)]))) > MAX_WORD
    return flags
