"""Scores of facts against the seed, for the texts of a run that were written from documents which it has read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.manifest import Manifest, tables_of
from filters.claims import sentences_in
from filters.facts import Source, unsupported
from ray_jobs.line import Line

SAID = 120  # characters of a finding that a detail quotes
KINDS = ("numbers", "names", "claims")


def seed_texts(line: Line, inputs: Mapping[str, Manifest], documents: Sequence[pa.Table]) -> dict[str, str]:
    """What these documents were written from, by id, where the recipe asks for facts; a worker gets the seeds of its own
    documents only."""
    if not line.recipe.filters.facts.asked or line.recipe.texts not in inputs:
        return {}
    wanted = {seed for part in documents for seed in _seeds(part)}
    return dict(_texts(line, inputs[line.recipe.texts], wanted)) if wanted else {}


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


def _texts(line: Line, manifest: Manifest, wanted: set[str]) -> Iterator[tuple[str, str]]:
    values = pa.array(sorted(wanted), pa.string())
    for table in tables_of(line.folder.child(manifest.stage), manifest, "documents", ["id", "text"]):
        chosen = table.filter(pc.is_in(table["id"], value_set=values))
        yield from zip(chosen["id"].to_pylist(), chosen["text"].to_pylist(), strict=True)
