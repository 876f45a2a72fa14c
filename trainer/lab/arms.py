"""The arms of an ablation: what each student reads, at equal tokens, drawn by the seed. Pure functions of their pools.

`raw` is what was read, at its natural proportions; `random` a draw of it as large as what the filter kept, so that an
advantage of the filter is one of choice and not of size; `repeat` a quarter of the budget, read four times; `summary` the
weightiest third of each raw text's sentences, the plain baseline that many synthetic sets do not beat (BeyondWeb, 2025).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

RAW, RANDOM, FILTERED, MIXED = "raw", "random", "filtered", "filtered + synthetic 1/3"
SYNTHETIC, REPEAT, SUMMARY = "synthetic only", "raw, a quarter four times", "raw, summarised"
ARMS = (RAW, RANDOM, FILTERED, MIXED, SYNTHETIC, REPEAT, SUMMARY)
SYNTHETIC_SHARE, REPEATS = 1 / 3, 4
SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|(?<=[。！？])|\n+")


@dataclass(frozen=True)
class Pools:
    """Training texts, none of them held out: all that was read, what the filter kept of it, and what a teacher wrote."""

    raw: Sequence[str]
    filtered: Sequence[str] = ()
    synthetic: Sequence[str] = ()

    def arms(self) -> tuple[str, ...]:
        """The arms that these pools can make."""
        ways = {
            FILTERED: self.filtered,
            RANDOM: self.filtered,
            MIXED: self.filtered and self.synthetic,
            SYNTHETIC: self.synthetic,
        }
        return tuple(arm for arm in ARMS if ways.get(arm, self.raw))


def texts_of(arm: str, pools: Pools, budget: int, seed: int) -> list[str]:
    """What a student of this arm reads. `budget` is in bytes: an arm with less of its own is read more than once.

    Every arm draws from its pool in an order of its own seed, so that arms of one seed are a pair and seeds differ in
    data, order and weights alike.
    """
    draw = np.random.default_rng([seed, ARMS.index(arm) if arm in ARMS else 0])
    return _WAYS[arm](pools, budget, draw)


def take(texts: Sequence[str], budget: float, draw: np.random.Generator) -> list[str]:
    """Whole texts in a drawn order until the budget (bytes) is reached; all of them when they are fewer."""
    taken: list[str] = []
    size = 0
    for place in draw.permutation(len(texts)):
        if size >= budget:
            break
        taken.append(texts[place])
        size += len(texts[place].encode())
    return taken


def fill(texts: Sequence[str], budget: float, draw: np.random.Generator) -> list[str]:
    """As `take`, beginning anew until the budget is full."""
    taken: list[str] = []
    while texts and (left := budget - sum(len(text.encode()) for text in taken)) > 0:
        taken += take(texts, left, draw)
    return taken


def summary(text: str, share: float = 1 / 3) -> str:
    """The sentences whose words are most typical of the text, in their order: a summary that needs no model."""
    sentences = [part.strip() for part in SENTENCE.split(text) if part and part.strip()]
    if len(sentences) < 4:
        return text
    words = [re.findall(r"\w+", sentence.lower()) for sentence in sentences]
    known = Counter(word for row in words for word in set(row) if len(word) > 3)
    worth = [sum(known[word] for word in set(row)) / math.sqrt(len(row) + 1) for row in words]
    best = sorted(range(len(sentences)), key=lambda at: (-worth[at], at))[: max(1, round(share * len(sentences)))]
    return " ".join(sentences[at] for at in sorted(best))


def _random(pools: Pools, budget: int, draw: np.random.Generator) -> list[str]:
    return take(pools.raw, min(budget, sum(len(text.encode()) for text in pools.filtered)), draw)


def _mixed(pools: Pools, budget: int, draw: np.random.Generator) -> list[str]:
    written = fill(pools.synthetic, budget * SYNTHETIC_SHARE, draw)
    both = [*fill(pools.filtered, budget * (1 - SYNTHETIC_SHARE), draw), *written]
    return [both[place] for place in draw.permutation(len(both))]


_WAYS: Mapping[str, Callable[[Pools, int, np.random.Generator], list[str]]] = {
    RAW: lambda pools, budget, draw: take(pools.raw, budget, draw),
    RANDOM: _random,
    FILTERED: lambda pools, budget, draw: take(pools.filtered, budget, draw),
    MIXED: _mixed,
    SYNTHETIC: lambda pools, budget, draw: take(pools.synthetic, budget, draw),
    REPEAT: lambda pools, budget, draw: take(pools.raw, budget / REPEATS, draw),
    SUMMARY: lambda pools, budget, draw: [summary(text) for text in take(pools.raw, 3 * budget, draw)],
}
