"""Takes documents down: their rows leave the journal, every stage and the report, and their slots are not asked again.

The order is committed first and marked as done last; every step between can be done twice. So a forgetting that was
killed is completed by the same command, and until then the run refuses to go on or to publish.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import RecipeError
from corpus.journal import SEALED, is_segment, pack_records, read_segment
from corpus.manifest import Balance, Manifest, dataset_hash, load_manifest, replace_manifest, table_of, tables_of
from corpus.shards import PARTITION, Partition, read_partition, write_partition
from corpus.store import Store
from ray_jobs.drive import STAGES, held
from ray_jobs.ending import REPORT, write_report
from ray_jobs.line import Line, run_folder
from ray_jobs.passes import InProcess
from ray_jobs.planning import plan_for
from ray_jobs.recipe import Recipe
from ray_jobs.replay import replayed_book
from ray_jobs.scrubbing import Scrubber
from ray_jobs.stage import Made
from ray_jobs.stages import filter as filter_stage
from ray_jobs.stages.generate import elsewhere_of, made_of
from ray_jobs.takedown import order_of
from ray_jobs.talk import Talk
from ray_jobs.tombstones import DONE, FOLDER, Order, forgotten_slots, open_orders, orders
from ray_jobs.verifying import VERDICTS, published

NAMES = ("id", "document_id", "request_key", "kept_id")  # columns by which a row is recognised


@dataclass
class Forgotten:
    """What a takedown removed, by stage and kind, and what it cannot reach."""

    documents: int = 0
    slots: int = 0
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    unreached: list[str] = field(default_factory=list)


def forget(recipe: Recipe, documents: Sequence[str], source: str | None, talk: Talk | None = None) -> Forgotten:
    """Complete what an earlier call began, then forget `documents` (ids or their beginnings) or all of `source`."""
    folder, done = run_folder(recipe), Forgotten()
    with held(folder):
        begun = open_orders(folder)
        if not begun and not documents and source is None:
            raise RecipeError(
                "nothing is named", hint="give document ids, or --source NAME; `hornbook show` prints ids"
            )
        for name, order in begun.items():
            _carry_out(recipe, folder, name, order, done)
        if documents or source is not None:
            name, order = f"{len(orders(folder)):06d}.json", order_of(recipe, folder, documents, source)
            folder.child(FOLDER).commit(name, order.to_bytes())
            _carry_out(recipe, folder, name, order, done)
    return done


def _carry_out(recipe: Recipe, folder: Store, name: str, order: Order, done: Forgotten) -> None:
    line = Line(recipe, folder, InProcess(), Talk(quiet=True), _Counts(folder))
    done.unreached += _unreached(recipe, folder, order)
    gone = frozenset((*order.documents, *order.requests))
    scrubber = Scrubber(_texts(folder, gone))
    for stage in STAGES:
        if manifest := load_manifest(folder.child(stage)):
            after = _again(line, stage, manifest, gone)
            after = after.model_copy(update={"facts": scrubber.clean(after.facts, gone)})
            done.rows[stage] = _replace(folder.child(stage), manifest, after)
    _clean_journal(folder.child("generate/journal"), frozenset(order.requests), name)
    _drop_verdicts(folder)
    _drop_packed(folder)
    if folder.exists(REPORT):
        write_report(recipe)
    folder.child(FOLDER).commit(name + DONE, b"done")
    done.documents += len(order.documents)
    done.slots += len(order.slots)


def _again(line: Line, stage: str, manifest: Manifest, gone: frozenset[str]) -> Manifest:
    """The stage's next manifest: remade from what is left where its verdicts lean on each other, else without rows."""
    store = line.folder.child(stage)
    if stage == "generate":
        plan = plan_for(line.recipe, line.folder)
        replies = _without(table_of(store, manifest, "replies"), gone)
        slots = forgotten_slots(line.folder, plan.slots)
        book = replayed_book(plan, replies, slots, published(store, manifest))
        return _remade(manifest, made_of(line, store, plan, book, manifest.totals["requests"]), keep=("ledger",))
    if stage == "filter":
        inputs = {
            name: found
            for name in (line.recipe.texts, "score", "generate")
            if (found := load_manifest(line.folder.child(name)))
        }
        return _remade(manifest, filter_stage.stage(line, inputs).work(store))
    partitions = tuple(_shrunk(store, item, gone) for item in manifest.partitions)
    return _recounted(line.folder, manifest.model_copy(update={"partitions": partitions}))


def _remade(before: Manifest, made: Made, keep: Sequence[str] = ()) -> Manifest:
    facts = dict(made.facts) | {name: before.facts[name] for name in keep if name in before.facts}
    paid = {
        name: before.totals[name] for name in ("prompt_tokens", "completion_tokens", "reused") if name in before.totals
    }
    return before.model_copy(update={
        "partitions": made.partitions, "balance": made.balance, "reasons": dict(made.reasons), "facts": facts,
        "totals": {**made.totals, **paid}, "licences": dict(made.licences), "dataset_hash": made.dataset_hash,
    })  # fmt: skip


def _recounted(folder: Store, manifest: Manifest) -> Manifest:
    """Balance and counts of a stage whose rows stand for themselves."""
    rows = Counter[str]()
    for item in manifest.partitions:
        rows[item.kind] += item.rows
    store = folder.child(manifest.stage)
    if manifest.stage in ("read", "clean"):
        kept, rejected = rows["documents"], rows["rejected"]
        into = {"made" if manifest.stage == "read" else "taken": kept + rejected}
        balance = Balance(**into, kept=kept, rejected=rejected)
        columns = list(tables_of(store, manifest, "documents", ["licence"]))
        licences = Counter(value for table in columns for value in table["licence"].to_pylist())
        reasons = Counter(
            value for table in tables_of(store, manifest, "rejected") for value in table["reason"].to_pylist()
        )
        update = {
            "balance": balance,
            "totals": {"documents": kept},
            "licences": dict(licences),
            "reasons": dict(reasons),
        }
        return manifest.model_copy(update=update)
    if manifest.stage == "score":
        count = rows["scores"]
        return manifest.model_copy(update={"balance": Balance(taken=count, kept=count), "totals": {"documents": count}})
    if manifest.stage == "blend":
        return _blended(folder, manifest)
    return manifest


def _blended(folder: Store, manifest: Manifest) -> Manifest:
    """The mix that counts is that of the last arm, as when it was blended."""
    filtered = load_manifest(folder.child("filter"))
    assert filtered is not None
    documents = table_of(folder.child("filter"), filtered, "documents", ["id", "text"])
    mix = list(tables_of(folder.child("blend"), manifest, "mix", ["id"]))[-1]["id"]
    taken, kept, single = documents.num_rows, len(mix), len(pc.unique(mix))
    balance = Balance(taken=taken, repeated=kept - single, kept=kept, unused=taken - single)
    totals = {**manifest.totals, "documents": kept}
    return manifest.model_copy(update={"balance": balance, "totals": totals, "dataset_hash": dataset_hash([documents])})


def _shrunk(store: Store, partition: Partition, gone: frozenset[str]) -> Partition:
    table = read_partition(store, partition)
    left = _without(table, gone)
    if left.num_rows == table.num_rows:
        return partition
    index = int(PurePosixPath(partition.name).name.split("-")[0])
    return write_partition(store, partition.kind, index, left)


def _without(table: pa.Table, gone: frozenset[str]) -> pa.Table:
    for name in NAMES:
        if name in table.column_names:
            values = pa.array(sorted(gone), table.schema.field(name).type)
            table = table.filter(pc.invert(pc.fill_null(pc.is_in(table[name], value_set=values), False)))
    return table


def _replace(store: Store, before: Manifest, after: Manifest) -> dict[str, int]:
    """Commit the next generation, then remove every partition that it does not name. Rows that went, by kind."""
    rows = _rows(before)
    rows.subtract(_rows(after))
    went = {kind: count for kind, count in rows.items() if count > 0}
    if after != before:
        total = Counter(before.forgotten) + Counter(went)
        replace_manifest(store, after.model_copy(update={"forgotten": dict(total)}))
    named = {item.name for item in after.partitions}
    for name in store.names():
        if PARTITION.match(name) and name not in named:
            store.delete(name)
    store.sweep(0)
    return went


def _rows(manifest: Manifest) -> Counter[str]:
    rows = Counter[str]()
    for item in manifest.partitions:
        rows[item.kind] += item.rows
    return rows


def _clean_journal(journal: Store, requests: frozenset[str], order: str) -> None:
    """Segments that hold a forgotten reply are written again without it, then removed."""
    for name in filter(is_segment, journal.names()):
        records = read_segment(journal, name)
        left = [record for record in records if record.get("request_key") not in requests]
        if len(left) < len(records):
            if left:
                journal.commit(f"{PurePosixPath(name).stem}-f{order.removesuffix('.json')}{SEALED}", pack_records(left))
            journal.delete(name)


def _drop_verdicts(folder: Store) -> None:
    """Details of verdicts quote values of the code; those that are still needed stand in the manifest's partition."""
    store = folder.child(f"generate/{VERDICTS}")
    for name in store.names():
        if is_segment(name):
            store.delete(name)


def _drop_packed(folder: Store) -> None:
    """Students' packed texts are a copy; training makes it again from the blend."""
    if folder.local is not None:
        for place in (folder.local / "train").glob("students/*/packed"):
            shutil.rmtree(place)


def _texts(folder: Store, gone: frozenset[str]) -> list[str]:
    """Every text that goes, as far as it is still there."""
    texts: list[str] = []
    for stage, kind in (
        ("read", "documents"),
        ("clean", "documents"),
        ("generate", "documents"),
        ("generate", "replies"),
        ("filter", "documents"),
    ):
        store = folder.child(stage)
        if manifest := load_manifest(store):
            for table in tables_of(store, manifest, kind):
                name = "request_key" if kind == "replies" else "id"
                hit = pc.is_in(table[name], value_set=pa.array(sorted(gone), table.schema.field(name).type))
                texts += [text for text in table.filter(hit)["text"].to_pylist() if text]
    return texts


def _unreached(recipe: Recipe, folder: Store, order: Order) -> list[str]:
    told = ["copies that were published: publish again, and tell those who hold one"]
    if load_manifest(folder.child("train")) or folder.child("train").names():
        told.append(f"students that were trained on it: delete {folder.url}/train and /evaluate, and run again")
    if folder.child("score").exists("quality.bin"):
        told.append(f"the quality classifier, which may have learned from it: {folder.url}/score/quality.bin")
    other = elsewhere_of(recipe.model_copy(update={"run": recipe.run.model_copy(update={"reuse": True})}), print)
    if other and (holders := other.holders(order.requests)):
        told.append(f"the same replies in other runs of this store: {', '.join(holders)}; forget them there too")
    return told


class _Counts:
    """A teacher's desk that knows only how long the texts of this run were counted to be."""

    def __init__(self, folder: Store) -> None:
        self.name = "as counted before"
        self._tokens: dict[str, int] = {}
        for stage in ("generate", "filter"):
            store = folder.child(stage)
            if manifest := load_manifest(store):
                for table in tables_of(store, manifest, "documents", ["text", "tokens"]):
                    self._tokens |= zip(table["text"].to_pylist(), table["tokens"].to_pylist(), strict=True)

    def counter(self) -> Any:
        """Itself."""
        return self

    def count(self, texts: Sequence[str]) -> np.ndarray:
        """int32, one a text; a text that no stage counted is told by its words."""
        return np.array([self._tokens.get(text, len(text.split())) for text in texts], np.int32)

    def urls(self) -> tuple[str, ...]:
        """Nobody is asked."""
        return ()

    def stop(self) -> None:
        """Nothing was started."""
