"""Texts and tables for the tests of the filters: made here, so that no test needs a corpus."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest

WORDS = """
river stone light engine market paper winter garden number letter metal cloud valley signal harbour pattern teacher
machine theory measure crystal forest bridge memory planet silver window motion energy history ocean village circle
method answer reason colour shadow travel animal mountain kitchen
"""


@pytest.fixture(scope="session")
def prose() -> Callable[[int, int], str]:
    """English-looking prose of about so many words that differs by seed and repeats nothing on purpose."""

    def write(seed: int, words: int = 120) -> str:
        chance, nouns = random.Random(seed), WORDS.split()
        sentences: list[str] = []
        while sum(len(sentence.split()) for sentence in sentences) < words:
            picked = [chance.choice(nouns) + chance.choice(("", "s", "ed", "ing")) for _ in range(8)]
            one, two, three, four, *rest = picked
            sentences.append(f"The {one} of the {two} and that {three} have {four} with {' '.join(rest)}.")
        return "\n".join(" ".join(sentences[start : start + 3]) for start in range(0, len(sentences), 3))

    return write


@pytest.fixture(scope="session")
def documents() -> Callable[..., pa.Table]:
    """A table with the columns that the chain reads; ids are `d0`, `d1`, and so on unless given."""

    def make(texts: Sequence[str], ids: Sequence[str] = (), **columns: str) -> pa.Table:
        size = len(texts)
        values = {"source": "web", "domain": "web", "language": "en"} | columns
        names = list(ids) or [f"d{index}" for index in range(size)]
        return pa.table(
            {"id": pa.array(names, pa.string()), "text": pa.array(texts, pa.large_string())}
            | {name: pa.array([value] * size, pa.string()) for name, value in values.items()}
        )

    return make
