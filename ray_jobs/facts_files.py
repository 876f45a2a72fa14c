"""Facts against the seed on plain files: rows with a text and the source that it was written from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from corpus.document import Document, Rejection
from corpus.errors import RecipeError
from corpus.readers import read_files
from filters.facts import Source, unsupported
from filters.planted_facts import self_test
from ray_jobs.plain_files import batches, unread
from ray_jobs.sink import write_out

KINDS = ("numbers", "names", "claims")
FOUND = pa.schema([("id", pa.string()), *((kind, pa.list_(pa.string())) for kind in KINDS)])
"""What each text says and its source does not: numbers, names, and sentences whose words the source has not."""


def facts_files(files: Sequence[str], source_field: str, out: str | Path, field: str) -> list[str]:
    """Hold the text of each row against the source in the same row. Rows without a source are counted and left out.

    Raises `RecipeError` when no row has both.
    """
    rejected, without = list[Rejection](), list[Rejection]()
    sources = {row.origin: row.text for row in _documents(files, source_field, without)}
    rows, alone = [], 0
    for row in _documents(files, field, rejected):
        if row.origin not in sources:
            alone += 1
            continue
        found = unsupported(row.text, Source(sources[row.origin]))
        rows.append({"id": row.id, **{kind: list(getattr(found, kind)) for kind in KINDS}})
    if not rows:
        raise RecipeError(
            f"no row has both `{field}` and `{source_field}`",
            hint="; ".join(row.detail for row in [*rejected, *without][:3]),
        )
    write_out(out, pa.Table.from_pylist(rows, schema=FOUND))
    told = [f"{sum(bool(row[kind]) for row in rows):,} of {len(rows):,} texts have {kind} that their source does not support"
            for kind in KINDS]  # fmt: skip
    return [*told, *([f"{alone:,} rows have no source"] if alone else []), *unread(rejected), f"wrote {out}"]


def self_test_facts(files: Sequence[str], field: str, most: int = 2000, seeds: int = 3) -> list[str]:
    """Plant wrong numbers and names in retellings of the documents, with several seeds, and say how many are found."""
    rejected: list[Rejection] = []
    passages: list[str] = []
    for documents in batches(files, field, rejected):
        passages += documents["text"].to_pylist()
        if len(passages) >= most:
            break
    head = f"{'kind':<8} {'seed':>4} {'texts':>7} {'planted':>8} {'found':>7} {'flagged':>8} {'precision':>10} {'recall':>7}"
    rows = [f"{row.kind:<8} {seed:>4} {row.texts:>7,} {row.planted:>8,} {row.found:>7,} {row.flagged:>8,} {row.precision:>10.3f} {row.recall:>7.3f}"
            for seed in range(17, 17 + seeds) for row in self_test(passages[:most], seed)]  # fmt: skip
    return [head, *sorted(rows), *unread(rejected)]


def _documents(files: Sequence[str], field: str, rejected: list[Rejection]) -> Iterator[Document]:
    for row in read_files(files, text_field=field):
        if isinstance(row, Rejection):
            rejected.append(row)
        else:
            yield row
