"""Secrets and personal data of plain files: replaced by their kind, or the document left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import pyarrow as pa

from corpus.document import Rejection
from corpus.errors import RecipeError
from filters.batch import text_series
from filters.sensitive import redact_all
from filters.sensitive_kinds import KINDS, NAMES
from ray_jobs.plain_files import batches, unread
from ray_jobs.sink import sink

SHOWN = 5  # documents that are named


def redact_files(
    files: Sequence[str], out: str | Path, masked: Collection[str], dropped: Collection[str], field: str
) -> list[str]:
    """Write the documents with findings of the kinds `masked` (all if empty) replaced, without those with one of `dropped`.

    The column `masked` counts what was replaced, by kind. Raises `RecipeError` for an unknown kind and when no document can
    be read. The file appears when it is whole.
    """
    _known(masked, dropped)
    chosen = {kind.name: kind for kind in KINDS if not masked or kind.name in {*masked, *dropped}}
    rejected: list[Rejection] = []
    found, holders, gone, read = Counter[str](), Counter[str](), list[tuple[str, str]](), 0
    with sink(out) as file:
        for documents in batches(files, field, rejected):
            texts, ids = documents["text"].to_pylist(), documents["id"].to_pylist()
            counts: list[dict[str, int]] = [{} for _ in texts]
            lost = set[int]()
            for place, (text, kinds) in redact_all(text_series(documents), chosen).items():
                texts[place], counts[place] = text, kinds
                found.update(kinds)
                holders.update(kinds.keys())
                if reasons := [kind for kind in kinds if kind in dropped]:
                    lost.add(place)
                    gone.append((ids[place], ", ".join(reasons)))
            table = _table(documents, texts, counts).filter(
                pa.array([place not in lost for place in range(len(texts))])
            )
            file.write(table)
            read += len(texts)
        if file.empty:
            raise RecipeError("no readable document in these files", hint="; ".join(row.detail for row in rejected[:3]))
    return [*_told(read, found, holders, gone, dropped), *unread(rejected), f"wrote {out}"]


def _known(*names: Collection[str]) -> None:
    for name in (name for group in names for name in group):
        if name not in NAMES:
            raise RecipeError(f"no kind of sensitive text {name!r}", hint=f"known: {', '.join(NAMES)}")


def _table(documents: pa.Table, texts: list[str], counts: list[dict[str, int]]) -> pa.Table:
    place = documents.schema.get_field_index("text")
    changed = documents.set_column(
        place, documents.schema.field("text"), pa.array(texts, documents.schema.field("text").type)
    )
    column = pa.array([list(row.items()) for row in counts], pa.map_(pa.string(), pa.int32()))
    return changed.append_column("masked", column)


def _told(
    read: int, found: Counter[str], holders: Counter[str], gone: list[tuple[str, str]], dropped: Collection[str]
) -> list[str]:
    lines = [f"{read:,} documents, {read - len(gone):,} kept, {len(gone):,} left out"]
    for kind, count in found.most_common():
        what = "left out" if kind in dropped else "replaced"
        lines.append(f"  {kind:<16} {count:,} findings in {holders[kind]:,} documents, {what}")
    return [*lines, *(f"  {name}  left out: {kinds}" for name, kinds in gone[:SHOWN])]
