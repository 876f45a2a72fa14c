"""Statistics of Chinese text, by characters and bigrams: what Gopher's and C4's rules say of words and sentences.

The words of the shared split are single ideographs here, so a bigram is two neighbours. Texts without ideographs cost
nothing and score 0.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from filters.batch import Batch
from filters.segments import maxima, offsets_of, ratio, sums
from filters.words import IDEOGRAPHS

# What Gopher's English stop words are to English: characters that hardly any paragraph does without, and that a list of
# names, keywords or goods lacks. All are among the twenty most frequent of modern Chinese (Da 2004, character frequency).
FUNCTION = tuple("的一是不了在有和为这")
MARKS = "[，。、；：？！]"


def score(batch: Batch) -> dict[str, np.ndarray]:
    """Ideographs, different function characters, share of the commonest bigram, and marks an ideograph."""
    words = batch.words
    flags = words.matching(f"[{IDEOGRAPHS}]")
    if not flags.any():
        none = np.zeros(len(batch), dtype=np.float32)
        counts = none.astype(np.int32)
        return dict(zip(_NAMES, (counts, counts, none, none), strict=True))
    total = sums(flags[words.codes], words.offsets)
    held = total > 0
    marks = np.zeros(len(batch), dtype=np.int64)
    marks[held] = batch.texts.filter(pl.Series(held)).str.count_matches(MARKS).to_numpy()
    different = sum(
        (sums(words.among(frozenset({character}))[words.codes], words.offsets) > 0).astype(np.int32)
        for character in FUNCTION
    )
    values = (total.astype(np.int32), np.asarray(different, np.int32), _top_bigram(batch, flags), ratio(marks, total))
    return dict(zip(_NAMES, values, strict=True))


_NAMES = tuple(f"chinese.{name}" for name in ("characters", "function_characters", "top_bigram", "marks"))


def _top_bigram(batch: Batch, flags: np.ndarray) -> np.ndarray:
    """Share of a document's bigrams that are its most frequent one."""
    words = batch.words
    places = np.flatnonzero(flags[words.codes[:-1]] & flags[words.codes[1:]])
    document = np.searchsorted(words.offsets, places, side="right") - 1
    inside = places + 1 < words.offsets[document + 1]
    places, document = places[inside], document[inside]
    kinds = len(words.vocabulary)
    keys = words.codes[places].astype(np.int64) * kinds + words.codes[places + 1]
    frame = pl.DataFrame({"document": document, "key": keys}).group_by("document", "key").len().sort("document")
    counts = np.bincount(frame["document"].to_numpy(), minlength=len(batch))
    top = maxima(frame["len"].to_numpy().astype(np.int64), offsets_of(counts))
    return ratio(top, np.bincount(document, minlength=len(batch)))
