"""Rule statistics after Gopher, C4 and FineWeb, columnar; and the profiles that decide over them.

Sources: Gopher (Rae 2021, table A1), C4 (Raffel 2020, §2.2), FineWeb (Penedo 2024, §3.6), thresholds as in datatrove.
Web rules reject good documentation and code, whose lines are short and whose braces are many, so a profile says which
rules hold for which kind of text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from filters.words import Words, rolling


@dataclass(frozen=True)
class Bound:
    """Keep when `low <= value <= high`."""

    low: float = -np.inf
    high: float = np.inf


PROSE: Mapping[str, Bound] = {
    "gopher.words": Bound(50, 100_000),
    "gopher.word_length": Bound(3, 10),
    "gopher.symbols": Bound(high=0.1),
    "gopher.bullet_lines": Bound(high=0.9),
    "gopher.ellipsis_lines": Bound(high=0.3),
    "gopher.lettered_words": Bound(0.8),
    "gopher.stop_words": Bound(2),
    "repetition.lines": Bound(high=0.3),
    "repetition.5grams": Bound(high=0.15),
    "repetition.10grams": Bound(high=0.10),
    "c4.lorem_ipsum": Bound(high=0),
    "c4.javascript": Bound(high=0),
    "fineweb.short_lines": Bound(high=0.67),
    "fineweb.newlines": Bound(high=0.3),
}
# The teacher writes short texts on purpose; repetition is what goes wrong with a small one.
SYNTHETIC: Mapping[str, Bound] = {
    "gopher.words": Bound(40, 100_000),
    "gopher.word_length": Bound(3, 10),
    "gopher.symbols": Bound(high=0.1),
    "repetition.lines": Bound(high=0.3),
    "repetition.5grams": Bound(high=0.25),
    "repetition.10grams": Bound(high=0.20),
    "c4.lorem_ipsum": Bound(high=0),
}
CODE: Mapping[str, Bound] = {
    "gopher.words": Bound(20, 100_000),
    "repetition.lines": Bound(high=0.5),
    "repetition.10grams": Bound(high=0.5),
    "gopher.word_length": Bound(2, 15),
}
PROFILES: Mapping[str, Mapping[str, Bound]] = {"prose": PROSE, "synthetic": SYNTHETIC, "code": CODE}


def statistics(texts: pa.ChunkedArray | pa.Array, words: Words) -> dict[str, np.ndarray]:
    """One float32 array a statistic, one value a text."""
    found = {**_word_statistics(words), **_line_statistics(texts, words)}
    for size in (5, 10):
        found[f"repetition.{size}grams"] = _duplicate_share(words, size)
    return {name: values.astype(np.float32) for name, values in found.items()}


def _word_statistics(words: Words) -> dict[str, np.ndarray]:
    counts = words.counts()
    safe = np.maximum(counts, 1)
    return {
        "gopher.words": counts,
        "gopher.word_length": _sums(words.lengths, words.starts) / safe,
        "gopher.lettered_words": _sums(words.letters, words.starts) / safe,
        "gopher.stop_words": _distinct_stops(words),
    }


def _distinct_stops(words: Words) -> np.ndarray:
    owner = np.repeat(np.arange(len(words.starts) - 1), words.counts())[words.stops]
    pairs = pl.DataFrame({"owner": owner, "word": words.hashes[words.stops]}).unique()
    return np.bincount(pairs["owner"].to_numpy().astype(np.int64), minlength=len(words.starts) - 1)


def _line_statistics(texts: pa.ChunkedArray | pa.Array, words: Words) -> dict[str, np.ndarray]:
    text = pl.Series("text", pl.from_arrow(texts)).cast(pl.String)
    frame = pl.DataFrame({"text": text, "row": np.arange(len(text)), "words": np.maximum(words.counts(), 1)})
    lines = frame.select("row", pl.col("text").str.split("\n").alias("line")).explode("line")
    lines = lines.with_columns(pl.col("line").str.strip_chars()).filter(pl.col("line").str.len_chars() > 0)
    summary = lines.group_by("row").agg(
        lines=pl.len(),
        distinct=pl.col("line").n_unique(),
        bullets=pl.col("line").str.contains(r"^[•\-*‣▪]\s").sum(),
        ellipses=pl.col("line").str.contains(r"(\.\.\.|…)$").sum(),
        short=(pl.col("line").str.len_chars() <= 30).sum(),
    )
    table = frame.join(summary, on="row", how="left", maintain_order="left").with_columns(pl.col("lines").fill_null(1))
    lower = pl.col("text").str.to_lowercase()
    table = table.select(
        (pl.col("bullets") / pl.col("lines")).alias("gopher.bullet_lines"),
        (pl.col("ellipses") / pl.col("lines")).alias("gopher.ellipsis_lines"),
        (1 - pl.col("distinct") / pl.col("lines")).alias("repetition.lines"),
        (pl.col("short") / pl.col("lines")).alias("fineweb.short_lines"),
        (pl.col("text").str.count_matches("\n", literal=True) / pl.col("words")).alias("fineweb.newlines"),
        (pl.col("text").str.count_matches(r"#|\.\.\.|…") / pl.col("words")).alias("gopher.symbols"),
        lower.str.contains("lorem ipsum", literal=True).cast(pl.Float32).alias("c4.lorem_ipsum"),
        lower.str.contains("enable javascript", literal=True).cast(pl.Float32).alias("c4.javascript"),
    )
    return {name: table[name].fill_null(0).to_numpy() for name in table.columns}


def _duplicate_share(words: Words, size: int) -> np.ndarray:
    """Share of windows of `size` words that stood in the same text before."""
    grams, starts = rolling(words, size)
    counts = np.diff(starts)
    owner = np.repeat(np.arange(len(counts)), counts)
    unique = pl.DataFrame({"owner": owner, "gram": grams}).unique()
    distinct = np.bincount(unique["owner"].to_numpy().astype(np.int64), minlength=len(counts))
    return (counts - distinct) / np.maximum(counts, 1)


def _sums(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    total = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
    return total[starts[1:]] - total[starts[:-1]]
