"""Cleaning on plain files: the documents as they are after it, and beside each what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from corpus.document import Rejection
from corpus.errors import RecipeError
from filters.clean import clean_table, step_counts
from filters.config import CleanConfig
from ray_jobs.plain_files import batches, unread
from ray_jobs.sink import sink


def clean_files(files: Sequence[str], out: str | Path, config: CleanConfig, field: str) -> list[str]:
    """Write every document whose text is not empty after cleaning, with the column `clean_steps`.

    Raises `RecipeError` when no document can be read. The file appears when it is whole.
    """
    rejected: list[Rejection] = []
    steps, counts = Counter[str](), Counter[str]()
    with sink(out) as file:
        for documents in batches(files, field, rejected):
            cleaned, changes = clean_table(documents, config)
            table = _with_steps(cleaned, changes)
            file.write(table)
            steps += step_counts(changes)
            counts.update(read=documents.num_rows, changed=changes.num_rows, kept=table.num_rows)
            counts.update(before=_characters(documents), after=_characters(table))
        if file.empty:
            raise RecipeError("no readable document in these files", hint="; ".join(row.detail for row in rejected[:3]))
    return [*_told(counts, steps), *unread(rejected), f"wrote {out}"]


def _with_steps(cleaned: pa.Table, changes: pa.Table) -> pa.Table:
    done = dict(zip(changes["id"].to_pylist(), changes["steps"].to_pylist(), strict=True))
    column = pa.array([done.get(name, []) for name in cleaned["id"].to_pylist()], pa.list_(pa.string()))
    table = cleaned.append_column("clean_steps", column)
    return table.filter(pa.array([bool(text.strip()) for text in table["text"].to_pylist()], pa.bool_()))


def _characters(table: pa.Table) -> int:
    return sum(len(text) for text in table["text"].to_pylist())


def _told(counts: Counter[str], steps: Counter[str]) -> list[str]:
    left = f"{counts['after'] / max(1, counts['before']):.1%} of the characters stay"
    empty = counts["read"] - counts["kept"]
    head = (
        f"{counts['read']:,} documents, {counts['changed']:,} changed, {empty:,} empty afterwards and left out; {left}"
    )
    return [head, *(f"  {name:<20} {count:,} documents" for name, count in steps.most_common())]
