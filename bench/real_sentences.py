"""Sentences of the real text that lies on this machine, and documents recombined from them by number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from corpus.config import SourceConfig
from corpus.document import Document
from corpus.readers import read_files, read_source

END = re.compile(r"(?<=[.!?])\s+|\n{2,}|(?<=[。！？])")
SHORTEST, LONGEST = 30, 300  # characters of a sentence


def texts(files: Sequence[str], most: int) -> Iterator[str]:
    """Real texts: of the files, or of this machine's documentation."""
    source = SourceConfig(kind="machine", documents=most)
    rows = read_files(files) if files else read_source("machine", source, seed=17)
    yield from (row.text for row in rows if isinstance(row, Document))


def sentences(files: Sequence[str], most: int = 6000) -> list[str]:
    """The distinct sentences, in order."""
    found = (" ".join(piece.split()) for text in texts(files, most) for piece in END.split(text))
    return list(dict.fromkeys(piece for piece in found if SHORTEST <= len(piece) <= LONGEST))


class Recombined:
    """Document n is a pure function of (sentences, seed, n): about `size` characters of sentences drawn at random.

    Every fifth is a copy of an earlier one that is none itself, with 0 to 6 words replaced.
    """

    def __init__(self, pool: Sequence[str], size: int = 2000, seed: int = 17) -> None:
        self._pool, self._seed = pool, seed
        self._count = max(2, round(size / (sum(map(len, pool)) / len(pool) + 1)))

    def text(self, number: int) -> str:
        """The document."""
        origin, changes = self.copied(number)
        if origin is None:
            return self._original(number)
        draw = np.random.default_rng((self._seed, 2, number))
        words = self._original(origin).split(" ")
        for place in draw.choice(len(words), changes, replace=False).tolist():
            words[place] = f"other{draw.integers(10**6)}"
        return " ".join(words)

    def copied(self, number: int) -> tuple[int | None, int]:
        """(original, words changed); (None, 0) for a document that is no copy."""
        if number % 5 != 4:
            return None, 0
        draw = np.random.default_rng((self._seed, 1, number))
        origin = int(draw.integers(number))
        return origin - (origin % 5 == 4), int(draw.integers(7))

    def _original(self, number: int) -> str:
        draw = np.random.default_rng((self._seed, 0, number))
        return " ".join(self._pool[place] for place in draw.integers(len(self._pool), size=self._count).tolist())
