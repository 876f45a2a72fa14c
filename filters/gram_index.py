"""Which of many short passages stand in a text, in part or whole: n-grams that vote for the words that they cover.

A passage counts as found by the share of its *worth* that the matching n-grams of a text cover. A word is worth its
surprisal among the passages (rare words say more), scaled down where its n-grams stand in many passages: what they all
share is the form of a benchmark and no evidence. So a sentence that lost some words is still found, and shared
boilerplate is not. Tokens are 64-bit hashes: of words, or of whatever else comes in a row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from filters.minhash import rolled
from filters.segments import offsets_of

SHARED = 50  # n-grams in more passages than this are form, and not looked at
SURE = 1.5  # times the least bits: matching words of that worth are evidence in full, fewer in proportion
TABLE_LOAD = 8  # places of the look-up table for each n-gram: seven of eight foreign n-grams end there


@dataclass(frozen=True, slots=True)
class Matches:
    """Passages found in texts: one row a pair, sorted by text, then by coverage from high to low."""

    texts: np.ndarray  # int64, number of the text
    passages: np.ndarray  # int64, number of the passage
    coverage: np.ndarray  # float32, 0 to 1: share of the passage's worth, less where that is little evidence


class GramIndex:
    """Built once from the passages; `find` is read-only and safe to call from anywhere."""

    def __init__(self, tokens: np.ndarray, offsets: np.ndarray, size: int, least_bits: float) -> None:
        """`tokens` (uint64) cut by `offsets` (passages + 1); `size` tokens an n-gram. Passages whose worth is below
        `least_bits` cannot be told from chance and are never found: see `checked`."""
        self.size, self._sure = size, SURE * least_bits
        grams, gram_offsets = rolled(tokens, offsets, size)
        owner = np.repeat(np.arange(len(offsets) - 1), np.diff(gram_offsets))
        place = np.arange(len(grams)) - gram_offsets[owner] + offsets[owner]  # of its first token among all tokens
        self.keys, inverse = np.unique(grams, return_inverse=True)
        spread = self._spread(inverse, owner)
        rarity = np.log2(1 + (len(offsets) - 1) / spread) / np.log2(len(offsets)) if len(offsets) > 1 else spread * 0.0
        rarity = np.where(spread > SHARED, 0.0, rarity)
        self._worth = _surprisal(tokens) * _best(rarity[inverse], place, size, len(tokens))
        self._offsets, self._owner_of_token = offsets, np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        self.totals = _sums(self._worth, offsets)
        self.checked = self.totals >= least_bits
        listed = np.flatnonzero((spread[inverse] <= SHARED) & self.checked[owner])
        order = listed[np.argsort(inverse[listed], kind="stable")]
        self._places, self._starts = place[order], offsets_of(np.bincount(inverse[order], minlength=len(self.keys)))
        bits = max(10, int(np.ceil(np.log2(TABLE_LOAD * max(1, len(self.keys))))))
        self._shift = np.uint64(64 - bits)
        self._table = np.zeros(1 << bits, dtype=bool)
        self._table[self.keys >> self._shift] = True

    def matching(self, grams: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which of the n-grams are known: their places in `grams`, and their numbers in `keys`."""
        near = np.flatnonzero(self._table[grams >> self._shift])
        found = np.searchsorted(self.keys, grams[near])
        found[found == len(self.keys)] = 0
        exact = self.keys[found] == grams[near] if len(self.keys) else np.zeros(len(near), bool)
        return near[exact], found[exact]

    def find(self, tokens: np.ndarray, offsets: np.ndarray, least: float) -> Matches:
        """All passages of which a text covers at least the share `least`, within twice the passage's own length."""
        grams, gram_offsets = rolled(tokens, offsets, self.size)
        where, numbers = self.matching(grams)
        text = np.searchsorted(gram_offsets, where, side="right") - 1
        count = self._starts[numbers + 1] - self._starts[numbers]
        hit = np.repeat(np.arange(len(where)), count)  # each known n-gram once for each place that it has in passages
        inner = np.arange(len(hit)) - np.repeat(offsets_of(count)[:-1], count)
        place = self._places[self._starts[numbers[hit]] + inner]
        passage, text = self._owner_of_token[place], text[hit]
        at = where[hit] - gram_offsets[text]
        return self._covered(text, passage, place, at, least)

    def _covered(
        self, text: np.ndarray, passage: np.ndarray, place: np.ndarray, at: np.ndarray, least: float
    ) -> Matches:
        pairs, group = np.unique(text * len(self.totals) + passage, return_inverse=True)
        span = np.concatenate([[0.0], np.cumsum(self._worth)])
        bound = np.bincount(group, span[place + self.size] - span[place], minlength=len(pairs))
        likely = bound >= least * self.totals[pairs % max(1, len(self.totals))]
        rows = np.flatnonzero(likely[group]) if len(group) else group
        rows = rows[np.lexsort((at[rows], group[rows]))]
        cuts = np.flatnonzero(np.diff(group[rows])) + 1
        found = [self._best_window(part, passage, place, at) for part in np.split(rows, cuts) if len(part)]
        values = np.array(found, dtype=np.float32)
        heads = np.array([part[0] for part in np.split(rows, cuts) if len(part)], dtype=np.int64)
        good = values >= np.float32(least)
        heads, values = heads[good], values[good]
        order = np.lexsort((passage[heads], -values, text[heads]))
        return Matches(text[heads][order], passage[heads][order], values[order])

    def _best_window(self, rows: np.ndarray, passage: np.ndarray, place: np.ndarray, at: np.ndarray) -> float:
        """Coverage by the hits of the fullest window: words that lie scattered over a book are no passage."""
        number = passage[rows[0]]
        reach = 2 * (self._offsets[number + 1] - self._offsets[number]) + self.size
        ends = np.searchsorted(at[rows], at[rows] + reach, side="left")
        start = int(np.argmax(ends - np.arange(len(rows))))
        places = place[rows[start : ends[start]]]
        covered = np.unique(places[:, None] + np.arange(self.size))
        bits = float(self._worth[covered].sum())
        return bits / float(self.totals[number]) * min(1.0, bits / self._sure)

    def _spread(self, inverse: np.ndarray, owner: np.ndarray) -> np.ndarray:
        """Passages that hold each n-gram."""
        distinct = np.unique(inverse.astype(np.int64) * (int(owner.max(initial=0)) + 1) + owner)
        return np.bincount(distinct // (int(owner.max(initial=0)) + 1), minlength=len(self.keys)).astype(np.float64)


def _surprisal(tokens: np.ndarray) -> np.ndarray:
    """Bits of each token: minus the binary logarithm of its share among all."""
    _, inverse, counts = np.unique(tokens, return_inverse=True, return_counts=True)
    return -np.log2(counts[inverse] / max(1, len(tokens)))


def _best(rarity: np.ndarray, place: np.ndarray, size: int, length: int) -> np.ndarray:
    """For each token the greatest rarity of the n-grams that cover it; 0 where none does."""
    best = np.zeros(length)
    for step in range(size):
        np.maximum.at(best, place + step, rarity)
    return best


def _sums(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    total = np.concatenate([[0.0], np.cumsum(values)])
    return total[offsets[1:]] - total[offsets[:-1]]
