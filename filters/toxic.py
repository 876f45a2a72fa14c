"""Abusive, adult and advertising text by how dense its words stand; one word in a novel or a textbook says nothing.

Phrases are data (`toxic.yaml`), compared word for word over the shared split, in English and Chinese alike. A phrase
counts 1 or, where it is in much harmless text, a fifth. The density is that sum over the words of the text and a few
more: one strong word condemns a text of a dozen words, and no text of a hundred. What its words do not tell, a classifier
may: one that users train on their own labels (`hornbook filter classifier train`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl
import yaml

from filters.batch import Batch
from filters.minhash import rolled
from filters.segments import offsets_of
from filters.words import Words, split_words

KINDS = ("abuse", "adult", "advert")
WEAK = 0.2
SOME = 1 << 19  # words at a time: bounds memory
MORE = 20  # words added to every text, so that a short one is not condemned by its length alone


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of a length: sorted hashes of theirs (uint64), their first words' (uint64), and weights [n, kinds]."""

    size: int
    hashes: np.ndarray
    first: np.ndarray
    weights: np.ndarray


def score(batch: Batch) -> dict[str, np.ndarray]:
    """Density of each kind, float32: `toxic.abuse`, `toxic.adult`, `toxic.advert`."""
    return density(batch.words)


def density(words: Words) -> dict[str, np.ndarray]:
    """The same for texts that are split already."""
    total = np.zeros((len(words.offsets) - 1, len(KINDS)))
    for phrases in phrase_tables():
        first = np.isin(words.hashes, phrases.first)
        for begin in range(0, len(words.codes), SOME):
            starts = begin + np.flatnonzero(first[words.codes[begin : begin + SOME]])
            _add(total, words, starts, phrases)
    share = (total / (words.counts + MORE)[:, None]).astype(np.float32)
    return {f"toxic.{kind}": share[:, column] for column, kind in enumerate(KINDS)}


def _add(total: np.ndarray, words: Words, starts: np.ndarray, phrases: Phrases) -> None:
    """The weights of the phrases that begin at these words, to those of their texts."""
    owner = np.searchsorted(words.offsets, starts, side="right") - 1
    whole = starts + phrases.size <= words.offsets[owner + 1]
    starts, owner = starts[whole], owner[whole]
    grams = _grams(words, starts, phrases.size)
    place = np.searchsorted(phrases.hashes, grams).clip(max=len(phrases.hashes) - 1)
    hit = phrases.hashes[place] == grams
    np.add.at(total, owner[hit], phrases.weights[place[hit]])


@cache
def phrase_tables() -> tuple[Phrases, ...]:
    """The shipped phrases by number of words; a phrase under two kinds counts for both."""
    data: dict[str, Any] = yaml.safe_load(files("filters").joinpath("toxic.yaml").read_text("utf-8"))
    weights: dict[str, np.ndarray] = {}
    for column, kind in enumerate(KINDS):
        for language in data[kind].values():
            for strength, weight in (("weak", WEAK), ("strong", 1.0)):
                for phrase in language[strength]:
                    row = weights.setdefault(str(phrase), np.zeros(len(KINDS)))
                    row[column] = max(row[column], weight)
    split = split_words(pl.Series(list(weights), dtype=pl.String))
    sizes, table = split.counts, np.array(list(weights.values()))
    return tuple(_table(split, np.flatnonzero(sizes == size), int(size), table) for size in np.unique(sizes))


def _table(split: Words, rows: np.ndarray, size: int, weights: np.ndarray) -> Phrases:
    starts = split.offsets[rows]
    hashes = _grams(split, starts, size)
    order = np.argsort(hashes)
    first = np.unique(split.hashes[split.codes[starts]])
    return Phrases(size, hashes[order], first, weights[rows][order])


def _grams(words: Words, starts: np.ndarray, size: int) -> np.ndarray:
    """One hash for the `size` words from each start on."""
    tokens = words.hashes[words.codes[starts[:, None] + np.arange(size)]].reshape(-1)
    return rolled(tokens, offsets_of(np.full(len(starts), size)), size)[0]
