"""One split, shared: words and their stable 64-bit hashes, once a batch, for rules, duplicates and look-ups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

WORDS_VERSION = "1"
# A run of word characters; a Chinese, Japanese or Korean character is a word of its own.
WORD = r"[\u3400-\u4dbf\u4e00-\u9fff\u3040-\u30ff\uac00-\ud7af]|[^\W\u3400-\u4dbf\u4e00-\u9fff\u3040-\u30ff\uac00-\ud7af]+"


@dataclass(frozen=True)
class Words:
    """Words of n texts, flat: text i owns `hashes[starts[i]:starts[i + 1]]`; `lengths` are characters a word."""

    hashes: np.ndarray  # uint64
    lengths: np.ndarray  # uint32
    starts: np.ndarray  # int64, n + 1
    letters: np.ndarray  # bool: the word holds a letter
    stops: np.ndarray  # bool: one of Gopher's eight English stop words

    def counts(self) -> np.ndarray:
        """Words a text, int64."""
        return np.diff(self.starts)


STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")  # Gopher, table A1


def split(texts: pa.ChunkedArray | pa.Array) -> Words:
    """Lower-case words of each text."""
    lists = pl.Series(pl.from_arrow(texts)).cast(pl.String).str.to_lowercase().str.extract_all(WORD)
    counts = lists.list.len().to_numpy().astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(counts)])
    # An empty list explodes to one null: dropped, so that `flat` and `starts` agree.
    flat = lists.explode().drop_nulls()
    return Words(
        hashes=stable_hashes(flat),
        lengths=flat.str.len_chars().to_numpy(),
        starts=starts,
        letters=flat.str.contains(r"\p{L}").to_numpy(),
        stops=flat.is_in(STOP_WORDS).to_numpy(),
    )


def stable_hashes(flat: pl.Series) -> np.ndarray:
    """uint64 a word, the same in every process and version: xxh3-64 over UTF-8, hashed once a distinct word."""
    import xxhash

    if flat.len() == 0:
        return np.array([], dtype=np.uint64)
    distinct = flat.unique()
    table = np.fromiter((xxhash.xxh3_64_intdigest(word.encode()) for word in distinct), dtype=np.uint64, count=distinct.len())
    frame = pl.DataFrame({"word": distinct, "hash": table})
    return pl.DataFrame({"word": flat}).join(frame, on="word", how="left", maintain_order="left")["hash"].to_numpy()


def rolling(words: Words, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all windows of `size` words inside each text, and their starts (n + 1)."""
    total = len(words.hashes)
    counts = np.maximum(words.counts() - size + 1, 0)
    starts = np.concatenate([[0], np.cumsum(counts)])
    if total < size or not starts[-1]:
        return np.array([], dtype=np.uint64), starts
    mixed = np.zeros(total - size + 1, dtype=np.uint64)
    for offset in range(size):
        mixed = _mix(mixed * np.uint64(0x9E3779B97F4A7C15) + words.hashes[offset : total - size + 1 + offset])
    keep = np.repeat(words.starts[:-1] - starts[:-1], counts) + np.arange(starts[-1])
    return mixed[keep], starts


def _mix(value: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64, so that nearby sums do not collide."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
