"""What of a run is published: its kept rows with their scores, its rejected ones with their reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.card import render_card
from corpus.config import PublishConfig
from corpus.errors import RecipeError
from corpus.folder import (
    CARD,
    LABELS,
    REJECTED,
    TRAIN,
    VALIDATION,
    Shards,
    config_names,
    parquet_rows,
    split_of,
    write_voucher,
)
from corpus.label_join import LabelJoin
from corpus.manifest import Manifest, dataset_hash, tables_of
from corpus.scrub import scrubbed
from corpus.shelf import SYNTHETIC, UNKNOWN, Shelf
from corpus.soft_labels import KIND
from corpus.store import Store

KEPT_BY = "filter"  # the stage whose documents are the dataset
LABELLED_BY = "generate"  # the stage beside whose documents soft labels lie
# First parts of reasons whose text is never published.
WITHHELD = frozenset({"sensitive", "secret", "personal", "personal_data", "toxic", "contaminated", "contamination"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be published: the run, its manifests in the order of its stages, and what its owner said."""

    run: Store
    manifests: Mapping[str, Manifest]
    config: PublishConfig
    title: str
    recipe: Mapping[str, Any]


def write_publication(wanted: Wanted, folder: Path) -> dict[str, Any]:
    """Write all files into an empty folder, the voucher last; returns the voucher's body.

    Raises `RecipeError` when there is no row to publish, or one of unknown licence without leave.
    """
    scores = _Scores(wanted)
    shelf, rows = _write_documents(wanted, scores, folder)
    rejected, shelf.reasons = _write_rejected(wanted, scores, folder)
    shelf.rejected = sum(rejected.values())
    labels = _write_labels(wanted, shelf, folder) if wanted.config.soft_labels else {}
    kept = [name for name in rows if name.startswith("data/")]
    shelf.dataset_hash = dataset_hash(parquet_rows(folder, kept, ["id", "text"]))
    body = {
        **_identity(wanted),
        "rows": shelf.rows,
        "configs": shelf.configs,
        "rejected": shelf.rejected,
        "labelled": sum(shelf.labelled.values()),
        "dataset_hash": shelf.dataset_hash,
        "stages": {name: _stage_facts(manifest) for name, manifest in wanted.manifests.items()},
    }
    (folder / CARD).write_text(
        render_card(wanted.title, wanted.manifests, shelf, wanted.config, wanted.recipe), "utf-8"
    )
    write_voucher(folder, body, {**rows, **rejected, **labels})
    return body


def _identity(wanted: Wanted) -> dict[str, Any]:
    last = wanted.manifests[KEPT_BY]
    return {"name": last.name, "version": last.version, "created": last.created, "code": last.code}


def _stage_facts(manifest: Manifest) -> dict[str, Any]:
    """A stage in the voucher: all that can be checked, and no text (samples of rejected rows stay at home)."""
    shown = {"fingerprint", "inputs", "config", "balance", "reasons", "totals", "licences", "code", "created"}
    facts = {name: fact for name, fact in manifest.facts.items() if fact.get("kind") != "samples"}
    return scrubbed({**manifest.model_dump(mode="json", include=shown), "facts": facts})


class _Scores:
    """Scores of the filter stage by document id, under the names of columns."""

    def __init__(self, wanted: Wanted) -> None:
        store, manifest = wanted.run.child(KEPT_BY), wanted.manifests[KEPT_BY]
        tables = list(tables_of(store, manifest, "scores"))
        self._table = pa.concat_tables(tables) if tables else pa.table({"id": pa.array([], pa.string())})
        self.names = [name for name in self._table.column_names if name != "id"]
        sensitive = [self._table[name] for name in self.names if name.startswith("sensitive.")]
        found = np.zeros(self._table.num_rows, bool)
        for column in sensitive:
            found |= column.to_numpy() > 0
        self._sensitive = pa.array(found)

    def join(self, rows: pa.Table) -> pa.Table:
        """`rows` with one column `score_…` for each score; null where a row was never scored."""
        found = self._table.take(self._places(rows))
        for name in self.names:
            rows = rows.append_column(f"score_{name.replace('.', '_')}", found[name])
        return rows

    def sensitive(self, rows: pa.Table) -> pa.Array:
        """Whether a row has a finding of the sensitive-text scorer, whatever it was rejected for."""
        return pc.fill_null(self._sensitive.take(self._places(rows)), False)

    def _places(self, rows: pa.Table) -> pa.Array:
        return pc.index_in(rows["id"], value_set=self._table["id"].combine_chunks()).combine_chunks()


def _chosen(wanted: Wanted, table: pa.Table) -> pa.Table:
    """What the owner publishes: written rows, and the read ones only when the recipe says so."""
    return table if wanted.config.include_web else table.filter(pc.equal(table["source"], SYNTHETIC))


def _documents(wanted: Wanted) -> Iterator[pa.Table]:
    store, manifest = wanted.run.child(KEPT_BY), wanted.manifests[KEPT_BY]
    return (_chosen(wanted, table) for table in tables_of(store, manifest, "documents"))


def _write_documents(wanted: Wanted, scores: _Scores, folder: Path) -> tuple[Shelf, dict[str, int]]:
    shelf = Shelf()
    domains: set[str] = set()
    unknown: Counter[str] = Counter()
    for table in _documents(wanted):
        shelf.count(table)
        domains |= set(table["domain"].to_pylist())
        unknown += Counter(table.filter(pc.is_in(table["licence"], pa.array(UNKNOWN)))["source"].to_pylist())
    _check(wanted, shelf, unknown)
    names = config_names(domains)
    shards: dict[tuple[str, str], Shards] = {}
    for table in _documents(wanted):
        for domain, split, part in _parts(scores.join(table)):
            key = (names[domain], split)
            made = Shards(folder, f"data/{key[0]}", split, wanted.config.shard_mb << 20)
            shards.setdefault(key, made).write(part)
    shelf.configs = {name: {split: shards[name, split].rows for split in (TRAIN, VALIDATION) if (name, split) in shards}
                     for name in sorted(names.values())}  # fmt: skip
    return shelf, {name: count for made in shards.values() for name, count in made.close().items()}


def _write_labels(wanted: Wanted, shelf: Shelf, folder: Path) -> dict[str, int]:
    """Soft labels of the published documents as they are published; a document and its labels are in the same split."""
    written = wanted.manifests.get(LABELLED_BY)
    if written is None or not written.of(KIND):
        raise RecipeError(
            "there are no soft labels to publish",
            hint="set teacher.top_logprobs and run again, or leave publish.soft_labels out",
        )
    shards = {split: Shards(folder, LABELS, split, wanted.config.shard_mb << 20) for split in (TRAIN, VALIDATION)}
    join = LabelJoin(_documents(wanted))
    for table in join.join(tables_of(wanted.run.child(LABELLED_BY), written, KIND)):
        for split, part in _by_split(table):
            shards[split].write(part)
    shelf.labelled = {split: made.rows for split, made in shards.items() if made.rows}
    return {name: count for made in shards.values() for name, count in made.close().items()}


def _check(wanted: Wanted, shelf: Shelf, unknown: Counter[str]) -> None:
    if not shelf.rows:
        raise RecipeError(
            "there is no row to publish",
            hint="the run wrote nothing that was kept; set publish.include_web to publish what was read",
        )
    if unknown and not wanted.config.allow_unknown_licence:
        listed = ", ".join(f"{source}: {count:,}" for source, count in sorted(unknown.items()))
        raise RecipeError(
            f"{sum(unknown.values()):,} rows have no known licence ({listed})",
            hint="set `licence` of these sources, leave them out, or set publish.allow_unknown_licence",
        )


def _parts(table: pa.Table) -> Iterator[tuple[str, str, pa.Table]]:
    for domain in sorted(set(table["domain"].to_pylist())):
        for split, part in _by_split(table.filter(pc.equal(table["domain"], domain))):
            yield domain, split, part


def _by_split(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    splits = pa.array([split_of(row) for row in table["id"].to_pylist()], pa.string())
    for split in (TRAIN, VALIDATION):
        part = table.filter(pc.equal(splits, split))
        if part.num_rows:
            yield split, part


def _write_rejected(wanted: Wanted, scores: _Scores, folder: Path) -> tuple[dict[str, int], Counter[str]]:
    """Id, stage, reason and scores of every row of the published sources that was not kept."""
    shards = Shards(folder, REJECTED, TRAIN, wanted.config.shard_mb << 20)
    reasons: Counter[str] = Counter()
    for stage, manifest in wanted.manifests.items():
        for table in tables_of(wanted.run.child(stage), manifest, "rejected"):
            chosen = _chosen(wanted, table)
            if chosen.num_rows:
                reasons += Counter(chosen["reason"].to_pylist())
                shards.write(_rejected(wanted, scores, chosen))
    return shards.close(), reasons


def _rejected(wanted: Wanted, scores: _Scores, table: pa.Table) -> pa.Table:
    rows = scores.join(table.select(["id", "stage", "reason", "source"]))
    if not wanted.config.rejected_text:
        return rows
    first = [str(reason).replace(":", ".").split(".")[0] for reason in table["reason"].to_pylist()]
    withheld = pc.or_(pa.array([name in WITHHELD for name in first], pa.bool_()), scores.sensitive(table))
    texts = _texts(wanted, table.filter(pc.invert(withheld))["id"])
    column = pa.array([texts.get(row) for row in table["id"].to_pylist()], pa.large_string())
    return rows.append_column("text", column)


def _texts(wanted: Wanted, ids: pa.ChunkedArray) -> dict[str, str]:
    """Texts of rejected rows, from the stages that still had them."""
    found: dict[str, str] = {}
    for stage, manifest in wanted.manifests.items():
        if stage != KEPT_BY and manifest.of("documents"):
            for table in tables_of(wanted.run.child(stage), manifest, "documents", ["id", "text"]):
                part = table.filter(pc.is_in(table["id"], value_set=ids.combine_chunks()))
                found |= zip(part["id"].to_pylist(), part["text"].to_pylist(), strict=True)
    return found
