"""The chain: score a table once, then decide over the scores. Thresholds can change without scoring again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from corpus.document import REJECTIONS, Rejection, rejections_table
from filters.config import FilterConfig
from filters.language import detect
from filters.quality import score_quality
from filters.rules import PROFILES, statistics
from filters.sensitive import KINDS, count
from filters.words import split

STAGE = "filter"
SCORERS = ("gopher", "language", "sensitive", "quality")


def score_table(documents: pa.Table, *, quality: Any = None, scorers: Sequence[str] = SCORERS) -> pa.Table:
    """`id` and one column a statistic. `quality` is a loaded classifier; without one the column is 1."""
    texts = documents["text"].to_pylist()
    columns: dict[str, Any] = {"id": documents["id"]}
    if "gopher" in scorers:
        columns.update(statistics(documents["text"], split(documents["text"])))
    if "language" in scorers:
        columns["language.label"], columns["language.confidence"] = detect(texts)
    if "sensitive" in scorers:
        columns.update(count(texts))
    if "quality" in scorers:
        columns["quality.teaches"] = score_quality(quality, texts) if quality else np.ones(len(texts), np.float32)
    return pa.table(columns)


def decide(documents: pa.Table, scores: pa.Table, config: FilterConfig) -> pa.Table:
    """Rows of schema `REJECTIONS`: for each text that is not kept, the first rule against it."""
    rows = documents.select(["id", "source", "domain"]).to_pylist()
    if scores["id"].to_pylist() != [row["id"] for row in rows]:
        raise ValueError("scores and documents are not of the same rows in the same order")
    values = {name: scores[name].to_pylist() for name in scores.column_names}
    rejected: list[Rejection] = []
    for index, row in enumerate(rows):
        fault = next(_faults(row, {name: column[index] for name, column in values.items()}, config), None)
        if fault:
            rejected.append(Rejection(row["id"], STAGE, fault[0], fault[1], row["source"]))
    return rejections_table(rejected) if rejected else REJECTIONS.empty_table()


def _faults(row: dict[str, str], score: dict[str, Any], config: FilterConfig) -> Iterator[tuple[str, str]]:
    """(reason, detail), gravest first."""
    profile = config.profiles.get(row["source"]) or config.profiles.get(row["domain"]) or "prose"
    if config.sensitive == "drop" and score.get("sensitive.severe"):
        found = [name for name, kind in KINDS.items() if kind.severe and score[f"sensitive.{name}"]]
        yield "sensitive", ", ".join(found)
    if profile != "code" and "language.label" in score:
        label, sure = score["language.label"], score["language.confidence"]
        if label not in config.languages or sure < config.language_confidence:
            yield "language", f"{label} at {sure:.2f}; kept: {', '.join(config.languages)} from {config.language_confidence}"
    for name, bound in PROFILES[profile].items():
        if name in score and not bound.low <= score[name] <= bound.high:
            side, limit = ("<", bound.low) if score[name] < bound.low else (">", bound.high)
            yield name, f"{score[name]:.3g} {side} {limit:g} ({profile})"
    if profile == "prose" and score.get("quality.teaches", 1.0) < config.quality:
        yield "quality", f"{score['quality.teaches']:.2f} < {config.quality}"
