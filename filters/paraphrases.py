"""Paraphrases of benchmark items, looked up by meaning: for a sample, since an embedding reads some ten texts a second.

No five words of a paraphrase stand together in the item, so words and n-grams say nothing (`filters.decontaminate`). An
item's question and windows of the text that are as long are turned into unit vectors by whatever encoder is handed in, and
compared. What comes close is a suspicion, for a person or a teacher to judge: nothing is dropped for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from filters.benchmarks import Item
from filters.vectors import Embed

SENTENCE = re.compile(r"[^.!?。！？\n]*(?:[.!?]+(?=\s|\Z)|[。！？]+|\n|\Z)")
LEAST_CHARACTERS = 40  # a question that is shorter is like many
WINDOWS = 400  # of a text that are looked at
BLOCK = 2048  # windows compared at once


@dataclass(frozen=True, slots=True)
class Nearness:
    """A text's window that is nearest to an item: number of the text, the item's name, cosine similarity, the window."""

    text: int
    item: str
    similarity: float
    window: str


class ParaphraseIndex:
    """Vectors of the items that are long enough."""

    def __init__(self, items: Sequence[Item], embed: Embed) -> None:
        self._embed = embed
        self.items = [item for item in items if len(question_of(item)) >= LEAST_CHARACTERS]
        questions = [question_of(item) for item in self.items]
        self._vectors = embed(questions) if questions else np.zeros((0, 1), np.float32)
        lengths = np.array([len(question) for question in questions] or [1])
        self._sizes = sorted({int(size) for size in np.quantile(lengths, (0.25, 0.75))})

    def nearest(self, texts: Sequence[str]) -> list[Nearness]:
        """For each text with a window and where there are items, what comes nearest; in the order of the texts."""
        pieces = [(place, window) for place, text in enumerate(texts) for window in self._windows(text)]
        best: dict[int, Nearness] = {}
        for start in range(0, len(pieces) if self.items else 0, BLOCK):
            part = pieces[start : start + BLOCK]
            likeness = self._embed([window for _, window in part]) @ self._vectors.T
            for (place, window), item, value in zip(part, likeness.argmax(1), likeness.max(1), strict=True):
                if place not in best or value > best[place].similarity:
                    best[place] = Nearness(place, self.items[int(item)].name, float(value), window)
        return [best[place] for place in sorted(best)]

    def _windows(self, text: str) -> Iterator[str]:
        """Runs of whole sentences, about as long as a short and as a long item, each beginning at another sentence."""
        sentences = [found for found in SENTENCE.findall(text) if found.strip()]
        seen = set[str]()
        for size in self._sizes:
            for first in range(len(sentences)):
                window, last = "", first
                while last < len(sentences) and (not window or len(window) + len(sentences[last]) <= 1.25 * size):
                    window, last = window + sentences[last], last + 1
                window = window.strip()[: 4 * size]
                if len(window) >= LEAST_CHARACTERS and window not in seen:
                    seen.add(window)
                    yield window
                    if len(seen) >= WINDOWS:
                        return


def question_of(item: Item) -> str:
    """What is compared: the question, or the code where there is none."""
    return item.question or item.code
