"""How much alike a set of texts is, and how much a new one adds: measures that steer, and that the report shows.

All of it is columnar: texts are split by Polars, words become numbers once, and n-grams are hashed by NumPy. A character
of a script without spaces is a word. The measures and their names are those of Shaib et al. 2024 (2403.00553).
"""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import xxhash

from generator.length import UNSPACED
from generator.skeletons import WORD, skeletons

GRAM = 4  # words: distinct-4 tells templates apart where single words do not
OPENING = 6  # words of an opening
OPENING_UNSPACED = 10  # characters that say as much: 1.7 times six
MEASURED = 10_000  # words of a group at most, so that groups of different size can be compared
STEP = np.uint64(0xD6E8FEB86659FD93)  # an odd multiplier with well-spread bits


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one group of texts. `distinct` and `compression` are over at most `MEASURED` words of it."""

    texts: int
    words: int
    opening_share: float  # of the texts, that begin with the most common opening
    opening: str
    skeleton_share: float  # of the texts, that hold the most common sentence skeleton
    skeleton: str
    distinct: float  # distinct n-grams / n-grams
    compression: float  # bytes / bytes after gzip: the higher, the more the texts repeat


def measure(texts: Sequence[str], language: str = "en") -> Measures:
    """The measures of a group in one language."""
    first, share = most_common(openings(texts, language))
    bones, bone_share = most_common([one for many in skeletons(texts) for one in many], len(texts))
    part, words = _at_most(texts)
    grams = [row for row in gram_sets(part, distinct=False)] if part else []
    flat = np.concatenate(grams) if grams else np.zeros(0, np.uint64)
    distinct = len(np.unique(flat)) / len(flat) if len(flat) else 1.0
    return Measures(len(texts), words, share, first, bone_share, bones, distinct, compression(part))


def openings(texts: Sequence[str], language: str = "en") -> list[str]:
    """The first words of each text, lower-cased and without punctuation; a shorter text's are empty."""
    size = OPENING_UNSPACED if language in UNSPACED else OPENING
    heads = pl.Series(texts, dtype=pl.String).str.slice(0, 400).str.to_lowercase().str.extract_all(WORD)
    joined = heads.list.head(size).list.join("" if language in UNSPACED else " ")
    return [text if long else "" for text, long in zip(joined, heads.list.len() >= size, strict=True)]


def most_common(keys: Sequence[str], of: int = 0) -> tuple[str, float]:
    """The most common non-empty key (the first by name of equals), and its share of `of`, or of all keys."""
    counted = pl.Series("key", keys, dtype=pl.String).value_counts().filter(pl.col("key") != "")
    if not counted.height:
        return "", 0.0
    key, count = counted.sort(["count", "key"], descending=[True, False]).row(0)
    return key, count / (of or len(keys))


def gram_sets(texts: Sequence[str], *, size: int = GRAM, distinct: bool = True) -> list[np.ndarray]:
    """For each text the hashes (uint64) of its n-grams, sorted and each once, or with `distinct=False` all as they come."""
    hashes, counts = _words(texts)
    starts = np.concatenate([[0], np.cumsum(counts)])
    return [_grams(hashes[a:b], size, distinct) for a, b in itertools.pairwise(starts)]


def novelty(grams: np.ndarray, known: np.ndarray) -> float:
    """Share of the n-grams of a text (sorted, each once) that are not among `known` (likewise); 1 for a text without."""
    return 1.0 - float(np.isin(grams, known, assume_unique=True).mean()) if len(grams) else 1.0


def compression(texts: Sequence[str]) -> float:
    """Bytes of the texts together over their bytes after gzip; 1 for nothing."""
    data = "\n\n".join(texts).encode("utf-8", "replace")
    return len(data) / len(gzip.compress(data, 9, mtime=0)) if data else 1.0


def _words(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all words in reading order, and how many words each text has."""
    lists = pl.Series(texts, dtype=pl.String).str.to_lowercase().str.extract_all(WORD)
    flat = lists.explode().drop_nulls()
    once = flat.unique(maintain_order=True)
    hashes = np.fromiter((xxhash.xxh3_64_intdigest(word.encode()) for word in once), np.uint64, len(once))
    table = pl.DataFrame({"word": once, "hash": hashes})
    found = flat.to_frame("word").join(table, on="word", how="left", maintain_order="left")["hash"]
    return found.to_numpy().astype(np.uint64), lists.list.len().to_numpy().astype(np.int64)


def _grams(hashes: np.ndarray, size: int, distinct: bool) -> np.ndarray:
    count = max(0, len(hashes) - size + 1)
    mixed = np.zeros(count, dtype=np.uint64)
    for place in range(size):
        mixed = (mixed ^ hashes[place : place + count]) * STEP
        mixed ^= mixed >> np.uint64(29)
    return np.unique(mixed) if distinct else mixed


def _at_most(texts: Sequence[str], limit: int = MEASURED) -> tuple[list[str], int]:
    """Texts from the first on until `limit` words are reached, and the number of words of all."""
    counts = pl.Series(texts, dtype=pl.String).str.count_matches(WORD).to_numpy()
    before = np.cumsum(counts) - counts
    return [text for text, start in zip(texts, before, strict=True) if start < limit], int(counts.sum())
