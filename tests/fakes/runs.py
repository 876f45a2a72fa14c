"""A small finished run on disk: what was read, written, kept and rejected, as the stages leave it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import Document, Lineage, Rejection, documents_table, rejections_table
from corpus.facts import number, samples, table
from corpus.ids import digest
from corpus.manifest import Balance, Manifest, commit_manifest, dataset_hash, load_manifest
from corpus.shards import write_partition
from corpus.soft_labels import Labelled, TokenLabels, labels_table, text_hash
from corpus.store import Store, open_store

DOMAINS = ("arithmetic", "plants & soil", "default")
FACTS = {
    "quality": table("Quality classifier on held-out text", ["AUC", "control"], [[0.97, 0.51]], caption="A caption."),
    "duplicates": number("Near duplicates", 4),
    "samples.rejected": samples("Rejected", [{"id": "x", "text": "SAMPLE TEXT"}]),
}
STAGES = ("read", "generate", "score", "filter")


def make_run(
    place: Path, *, written: int = 60, web: int = 20, licence: str = "MIT", version: str = "1", labels: bool = False
) -> Store:
    """A run with `written` documents of three domains and `web` read ones; every fifth is rejected by the filter.

    With `labels` the written documents have soft labels, and those of the second one are of another wording.
    """
    run = open_store(place)
    read = [_web(number, licence) for number in range(web)]
    made = [_written(number) for number in range(written)]
    kept = [row for number, row in enumerate([*made, *read]) if number % 5]
    dropped = [row for number, row in enumerate([*made, *read]) if not number % 5]
    rejected = [
        Rejection(row.id, "filter", _reason(index), "a detail", row.source) for index, row in enumerate(dropped)
    ]
    lost = [Rejection(digest("lost", index), "generate", "loop", "again and again", "synthetic") for index in range(3)]
    _stage(run, "read", version, documents=documents_table(read))
    _stage(run, "generate", version, documents=documents_table(made), rejected=rejections_table(lost),
           **({"soft_labels": _labels(made)} if labels else {}))  # fmt: skip
    _stage(run, "filter", version, documents=documents_table(sorted(kept, key=lambda row: row.id)),
           rejected=rejections_table(rejected), scores=_scores([*made, *read]))  # fmt: skip
    return run


def manifests_of(run: Store) -> dict[str, Manifest]:
    """Manifests of the stages that finished, in order."""
    found = {stage: load_manifest(run.child(stage)) for stage in STAGES}
    return {stage: manifest for stage, manifest in found.items() if manifest}


def _reason(index: int) -> str:
    return ("gopher.words", "sensitive", "duplicate.near", "quality")[index % 4]


def _written(index: int) -> Document:
    name = digest("written", index)
    lineage = Lineage(digest("slot", index), digest("request", index), digest("template", index % 2),
                      "embedded@main", "length" if index % 9 == 0 else "stop", prompt_tokens=40, completion_tokens=120)  # fmt: skip
    return Document(name, f"Lesson {index}: a page about number {index}.\nIt ends here.", "synthetic", "Apache-2.0", "teacher",
                    domain=DOMAINS[index % 3], topic="t", form="textbook_section", tokens=12, lineage=lineage)  # fmt: skip


def _labels(rows: list[Document]) -> pa.Table:
    """Two likely tokens for each of the three that a reply is said to have had."""
    found = TokenLabels(*(np.array(part, kind) for part, kind in (
        ([5, 6, 7], np.int32), ([-0.1, -0.2, -0.3], np.float16), ([[5, 9]] * 3, np.int32), ([[-0.1, -2]] * 3, np.float16))))  # fmt: skip
    texts = [row.text if index != 1 else "Before it was cleaned." for index, row in enumerate(rows)]
    return labels_table([Labelled(row.id, text_hash(text), "r", 0, found, "embedded@main", "t")
                         for row, text in zip(rows, texts, strict=True)])  # fmt: skip


def _web(index: int, licence: str) -> Document:
    return Document(digest("web", index), f"Page {index} of the manual, read and not written.", "pages", licence,
                    f"pkg==1.{index}/README.md", domain="package-readme", tokens=9)  # fmt: skip


def _scores(rows: list[Document]) -> pa.Table:
    return pa.table({
        "id": [row.id for row in rows],
        "gopher.words": pa.array([len(row.text.split()) for row in rows], pa.int32()),
        "quality.teaches": pa.array([0.25 + index % 4 / 8 for index in range(len(rows))], pa.float32()),
        "language.label": ["en"] * len(rows),
        "sensitive.secret": pa.array([int(index % 40 == 0) for index in range(len(rows))], pa.int32()),
    })  # fmt: skip


def _stage(run: Store, stage: str, version: str, **tables: pa.Table) -> None:
    store = run.child(stage)
    kept, rejected = tables["documents"].num_rows, tables.get("rejected", pa.table({})).num_rows
    reasons = Counter(tables["rejected"]["reason"].to_pylist()) if "rejected" in tables else {}
    entering = {"taken": kept + rejected} if stage == "filter" else {"made": kept + rejected}
    manifest = Manifest(
        name="tiny", version=version, stage=stage, fingerprint=digest("fp", stage, version),
        config={"sources": {"pages": {"paths": ["/home/somebody/data/pages.jsonl"]}}, "teacher": {"model": "embedded"}},
        partitions=tuple(write_partition(store, kind, 0, rows) for kind, rows in tables.items()),
        balance=Balance(kept=kept, rejected=rejected, **entering), reasons=dict(reasons), code=digest("code"),
        facts=FACTS if stage == "filter" else {},
        totals={"documents": kept, "tokens": int(pc.sum(tables["documents"]["tokens"]).as_py() or 0)},
        created="2026-01-05T12:04:11+00:00", dataset_hash=dataset_hash([tables["documents"]]),
    )  # fmt: skip
    assert commit_manifest(store, manifest)
