"""Copies on plain files: of documents, of the lines and paragraphs that many share, and of what is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.document import Rejection
from corpus.errors import RecipeError
from filters.config import DuplicatesConfig
from filters.dedup import find_duplicates, s_curve
from filters.repeated_parts import Unit, find_shared, without_shared
from filters.semantic import nearest_better, repeats, shares
from filters.vectors import word_vectors
from ray_jobs.plain_files import batches, unread


def dedup_files(files: Sequence[str], out: Path, threshold: float, field: str) -> list[str]:
    """Write the documents that are no copy of another one, and say what the index can find."""
    tables, rejected = _tables(files, field)
    config = DuplicatesConfig(threshold=threshold)
    copies = find_duplicates(tables, config)
    whole = pa.concat_tables(tables)
    kept = whole.filter(pc.invert(pc.is_in(whole["id"], value_set=copies["id"].combine_chunks())))
    pq.write_table(kept, out, compression="zstd")
    kinds = Counter(copies["kind"].to_pylist())
    return [
        f"{whole.num_rows:,} documents, {kept.num_rows:,} kept",
        *(f"{count:,} {kind} copies" for kind, count in kinds.items()),
        *_curve(config),
        *unread(rejected),
    ]


def shared_files(files: Sequence[str], out: Path, unit: Unit, field: str) -> list[str]:
    """Write the documents without the lines or paragraphs that three documents or more share; empty ones are left out."""
    tables, rejected = _tables(files, field)
    shared = find_shared(tables, unit)
    done = [without_shared(table, shared) for table in tables]
    whole, lost = pa.concat_tables([table for table, _ in done]), np.concatenate([part for _, part in done])
    filled = pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(whole["text"])), 0)
    pq.write_table(whole.filter(filled), out, compression="zstd")
    return [
        f"{len(shared.hashes):,} {unit}s stand in three documents or more",
        f"{int((lost > 0).sum()):,} of {whole.num_rows:,} documents changed, {int(lost.sum()):,} characters went",
        f"{int(pc.sum(pc.invert(filled)).as_py() or 0):,} documents had nothing else and are left out",
        *unread(rejected),
    ]


def retellings_files(files: Sequence[str], out: Path, threshold: float, field: str) -> list[str]:
    """Write the documents that are not too near another one in meaning, and what other thresholds would take."""
    tables, rejected = _tables(files, field)
    whole = pa.concat_tables(tables)
    ids = np.array(whole["id"].to_pylist(), object)
    rank = np.empty(len(ids), np.int64)
    rank[np.argsort(ids, kind="stable")] = np.arange(len(ids))
    found = nearest_better(word_vectors(whole["text"].to_pylist()), rank)
    gone = repeats(found, threshold)
    pq.write_table(whole.filter(pa.array(~gone)), out, compression="zstd")
    told = ", ".join(f"{share:.1%} at {value:g}" for value, share in shares(found))
    return [
        f"{whole.num_rows:,} documents, {int((~gone).sum()):,} kept at {threshold:g}",
        f"would go: {told}",
        *unread(rejected),
    ]


def _tables(files: Sequence[str], field: str) -> tuple[list[pa.Table], list[Rejection]]:
    rejected: list[Rejection] = []
    tables = list(batches(files, field, rejected))
    if not tables:
        raise RecipeError("no readable document in these files", hint="; ".join(row.detail for row in rejected[:3]))
    return tables, rejected


def _curve(config: DuplicatesConfig) -> Iterator[str]:
    """What the index is expected to propose; everything that it proposes is verified."""
    points = [
        f"{chance:.0%} at {value:.2f}"
        for value, chance in s_curve(config)
        if round(value * 100) in (60, 70, 80, 90, 95)
    ]
    yield f"pairs that {config.bands} bands of {config.rows} find, by their similarity: {', '.join(points)}"
