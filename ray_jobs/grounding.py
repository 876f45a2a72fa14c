"""Scores of facts against the seed, for the texts of a run that were written from documents which it has read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.claims import sentences_in
from filters.facts import Source, unsupported

SAID = 120  # characters of a finding that a detail quotes
KINDS = ("numbers", "names", "claims")


def seed_texts(documents: pa.Table, texts: Iterable[pa.Table]) -> dict[str, str]:
    """What these documents were written from, by id. `texts` (columns `id` and `text`) are read only where one was."""
    wanted = _seeds(documents)
    return dict(_chosen(texts, wanted)) if wanted else {}


def facts_of(task: tuple[pa.Table, Mapping[str, str]]) -> pa.Table:
    """Columns `facts.…`, one row a document, in order: unsupported numbers and names (counts), the share of unsupported
    sentences, the first of each. Texts without a seed have none. A task is documents, and the texts of their seeds by id."""
    documents, texts = task
    rows = [_row(text, lineage, topic, texts) for text, lineage, topic in zip(
        documents["text"].to_pylist(), documents["lineage"].to_pylist(), documents["topic"].to_pylist(), strict=True)]  # fmt: skip
    columns: dict[str, pa.Array] = {}
    for place, kind in enumerate(KINDS):
        values = np.array([row[place][0] for row in rows], np.float32)
        columns[f"facts.{kind}"] = pa.array(values)
        columns[f"facts.first_{kind}"] = pa.array([row[place][1] for row in rows], pa.string())
    return pa.table(columns)


def _seeds(documents: pa.Table) -> set[str]:
    return {seed for row in documents["lineage"].to_pylist() if row for seed in row["seed_ids"] or ()}


def _row(text: str, lineage: dict | None, topic: str | None, texts: Mapping[str, str]) -> list[tuple[float, str]]:
    seeds = [texts[name] for name in (lineage or {}).get("seed_ids") or () if name in texts]
    if not seeds:
        return [(0.0, "")] * len(KINDS)
    found = unsupported(text, Source("\n\n".join(seeds), topic or ""))
    share = len(found.claims) / max(1, len(sentences_in(text)))
    counted = ((len(found.numbers), found.numbers), (len(found.names), found.names), (share, found.claims))
    return [(float(value), said[0][:SAID] if said else "") for value, said in counted]


def _chosen(texts: Iterable[pa.Table], wanted: set[str]) -> Iterator[tuple[str, str]]:
    values = pa.array(sorted(wanted), pa.string())
    for table in texts:
        chosen = table.filter(pc.is_in(table["id"], value_set=values))
        yield from zip(chosen["id"].to_pylist(), chosen["text"].to_pylist(), strict=True)
