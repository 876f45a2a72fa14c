"""Copies of known similarity, planted in real text: what deduplication finds of them, and whether it takes anything else.

The similarity of a planted pair is taken without a hash, over tuples of the words that a regular expression finds, so
that neither the split, nor the hashes, nor the signatures can hide a fault of their own. Half of the copies have single
words replaced by words of other texts, half have one part replaced by scraps of others.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from filters.config import DuplicatesConfig
from filters.dedup import find_duplicates
from filters.planted_leaks import PIECE
from filters.words import WORD

CLASSES = ((0.9, 1.0), (0.8, 0.9), (0.7, 0.8), (0.3, 0.7), (0.05, 0.3))  # similarity from, up to
PAIRS = 1000  # of each class
TRIES = 30  # edits of a text until its copy is in the class
SCRAP = 20  # pieces of one other text that stand together in a copy
PIECES = (150, 600)  # of a text that is copied: words, or characters where words have no spaces between them


@dataclass(frozen=True, slots=True)
class Tally:
    """Planted pairs of a class, and those of them of which one text goes."""

    low: float
    high: float
    planted: int
    found: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of the recall, 95 %."""
        n, p, z = self.planted, self.found / self.planted, 1.96
        middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


@dataclass(frozen=True, slots=True)
class Outcome:
    """`removed` texts, of which `wrong` have a similarity below the threshold and `unlike` one of .3 or less."""

    tallies: tuple[Tally, ...]
    documents: int
    removed: int
    wrong: int
    unlike: int


def self_test(texts: Sequence[str], config: DuplicatesConfig, pairs: int = PAIRS, seed: int = 17) -> Outcome:
    """Plant pairs in pieces of `texts` that are no copies of each other, as many of a class as are asked for or as there
    are pieces for."""
    rows, classes = _planted(texts, config.shingle, pairs, seed)
    found = {row["id"]: row["kept_id"] for row in find_duplicates([_table(rows)], config).to_pylist()}
    same = {name: name in found or f"{name}+" in found for name in classes}
    tallies = []
    for number, (low, high) in enumerate(CLASSES):
        names = [name for name, of in classes.items() if of == number]
        if names:
            tallies.append(Tally(low, high, len(names), sum(same[name] for name in names)))
    alike = [similarity(rows[name], rows[kept], config.shingle) for name, kept in found.items()]
    wrong, unlike = (sum(value < limit for value in alike) for limit in (config.threshold, CLASSES[-1][1]))
    return Outcome(tuple(tallies), len(rows), len(found), wrong, unlike)


def similarity(one: str, other: str, size: int) -> float:
    """Jaccard similarity over tuples of `size` words, as the words' definition has them."""
    words = pl.Series([one, other]).str.to_lowercase().str.extract_all(WORD).to_list()
    a, b = ({tuple(row[place : place + size]) for place in range(len(row) - size + 1)} for row in words)
    return len(a & b) / len(a | b) if a | b else 0.0


def _planted(texts: Sequence[str], size: int, pairs: int, seed: int) -> tuple[dict[str, str], dict[str, int]]:
    """All texts by name, copies under their original's name with a plus, and the class of each original's copy."""
    chance = random.Random(seed)
    pool = _unlike(list(_pieces(texts, chance)))
    chance.shuffle(pool)
    rows, classes = {f"{number:06}": "".join(pieces) for number, pieces in enumerate(pool)}, dict[str, int]()
    counts = [0] * len(CLASSES)
    for name, pieces in zip(list(rows), pool, strict=True):
        number = counts.index(min(counts))
        if counts[number] == pairs:
            break
        copy = _copy(pieces, pool, CLASSES[number], size, chance)
        if copy is not None:
            rows[f"{name}+"], classes[name] = copy, number
            counts[number] += 1
    return rows, classes


def _pieces(texts: Sequence[str], chance: random.Random) -> Iterator[list[str]]:
    """Texts cut into pieces of words and blanks."""
    for text in texts:
        pieces, start = PIECE.findall(text), 0
        while start + PIECES[0] <= len(pieces):
            end = start + chance.randint(*PIECES)
            yield pieces[start:end]
            start = end


def _unlike(pool: list[list[str]]) -> list[list[str]]:
    """Those that are no copies of each other, by an index that proposes far more than the one that is measured."""
    wide = DuplicatesConfig(threshold=0.3, shingle=3, bands=32, rows=3)
    found = find_duplicates([_table({f"{number:06}": "".join(pieces) for number, pieces in enumerate(pool)})], wide)
    gone = set(found["id"].to_pylist())
    return [pieces for number, pieces in enumerate(pool) if f"{number:06}" not in gone]


def _table(rows: dict[str, str]) -> pa.Table:
    return pa.table({"id": pa.array(list(rows), pa.string()), "text": pa.array(list(rows.values()), pa.large_string())})


def _copy(
    pieces: list[str], pool: list[list[str]], span: tuple[float, float], size: int, chance: random.Random
) -> str | None:
    """An edit whose similarity is in the class; None when no try hits it."""
    whole = "".join(pieces)
    for _ in range(TRIES):
        aim = chance.uniform(*span)
        lost = (1 - aim) / (1 + aim)  # share of shingles that only one of the two has
        edited = (
            _words(pieces, pool, lost / size, chance) if chance.random() < 0.5 else _part(pieces, pool, lost, chance)
        )
        if span[0] <= similarity(whole, edited, size) < span[1]:
            return edited
    return None


def _words(pieces: list[str], pool: list[list[str]], share: float, chance: random.Random) -> str:
    """Some words become words of other texts."""
    copy, places = list(pieces), [place for place, piece in enumerate(pieces) if not piece.isspace()]
    for place in chance.sample(places, min(len(places), max(1, round(share * len(places))))):
        copy[place] = chance.choice([piece for piece in chance.choice(pool)[:20] if not piece.isspace()] or ["x"])
    return "".join(copy)


def _part(pieces: list[str], pool: list[list[str]], share: float, chance: random.Random) -> str:
    """One part becomes scraps of several other texts, so that the copy is none of theirs."""
    length = max(1, round(share * len(pieces)))
    start = chance.randint(0, len(pieces) - length)
    scraps: list[str] = []
    while len(scraps) < length:
        other = chance.choice(pool)
        begin = chance.randrange(len(other))
        scraps += [" ", *other[begin : begin + SCRAP]]
    return "".join([*pieces[:start], *scraps[:length], " ", *pieces[start + length :]])
