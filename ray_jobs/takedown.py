"""Which documents a takedown means: those that were named, their copies, and what was written from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from corpus.errors import RecipeError
from corpus.manifest import load_manifest, table_of, tables_of
from corpus.store import Store
from generator.book import Book
from ray_jobs.planning import Plan, plan_for, seeds_of
from ray_jobs.recipe import Recipe
from ray_jobs.replay import replayed_book
from ray_jobs.stages.blend import SYNTHETIC
from ray_jobs.stored import stored_of
from ray_jobs.tombstones import Order, forgotten_slots
from ray_jobs.verifying import published

HOLDERS = ("read", "clean", "generate", "filter")  # stages that hold documents and rejections


@dataclass
class Named:
    """What is known of every document of a run, columns only and no text."""

    source: dict[str, str] = field(default_factory=dict)
    slot: dict[str, str] = field(default_factory=dict)
    parents: dict[str, set[str]] = field(default_factory=dict)
    same: dict[int, set[str]] = field(default_factory=dict)  # hash of a text to the ids that have it
    text: dict[str, int] = field(default_factory=dict)
    copies: list[tuple[str, str]] = field(default_factory=list)  # (id that went, id that stayed for it)


def order_of(recipe: Recipe, folder: Store, wanted: Sequence[str], source: str | None) -> Order:
    """The order for documents by id (or its beginning), or for all of a source. Raises `RecipeError` for unknown ones."""
    found, book = _named(folder), None
    plan = plan_for(recipe, folder) if recipe.generate else None
    if plan:
        book = _book(plan, folder)
        _add_slots(found, book)
    chosen = _chosen(found, folder, wanted, source)
    if source == SYNTHETIC and plan:
        slots = {slot.id for slot in plan.slots}
    else:
        chosen, slots = _widened(found, chosen, plan)
    requests = [key for key, slot in book.slot_of.items() if slot in slots] if book else []
    chosen |= {name for name, slot in found.slot.items() if slot in slots}
    seeds = [seed for seed in seeds_of(recipe, folder) if seed.id in chosen] if plan else []
    return Order(
        tuple(sorted(chosen)), tuple(sorted(slots)), tuple(sorted(requests)),
        tuple(sorted((seed.id, seed.language, seed.domain) for seed in seeds)),
    )  # fmt: skip


def _named(folder: Store) -> Named:
    found = Named()
    for name in HOLDERS:
        store = folder.child(name)
        manifest = load_manifest(store)
        if manifest is None:
            continue
        for table in tables_of(store, manifest, "documents", ["id", "source", "text", "lineage"]):
            _add_documents(found, table)
        for table in tables_of(store, manifest, "rejected"):
            found.source |= dict(zip(table["id"].to_pylist(), table["source"].to_pylist(), strict=True))
            if name == "generate":
                found.copies += _copies(table)
        for table in tables_of(store, manifest, "duplicates"):
            found.copies += zip(table["id"].to_pylist(), table["kept_id"].to_pylist(), strict=True)
    return found


def _add_documents(found: Named, table: pa.Table) -> None:
    columns = (table[name].to_pylist() for name in ("id", "source", "text", "lineage"))
    for name, source, text, lineage in zip(*columns, strict=True):
        found.source[name] = source
        found.text[name] = xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))
        found.same.setdefault(found.text[name], set()).add(name)
        if lineage:
            found.slot[name] = lineage["slot_id"]
            found.parents[name] = {*(lineage["seed_ids"] or ()), *(lineage["parents"] or ())}


def _copies(rejected: pa.Table) -> Iterator[tuple[str, str]]:
    """The generator's own verdicts say which document a reply repeats: `of ID`."""
    near = rejected.filter(pc.starts_with(rejected["reason"], "duplicate."))
    for name, detail in zip(near["id"].to_pylist(), near["detail"].to_pylist(), strict=True):
        yield name, detail.removeprefix("of ").split(" ")[0]


def _book(plan: Plan, folder: Store) -> Book:
    """What was asked of every slot, from the committed replies or from the journal."""
    store = folder.child("generate")
    manifest = load_manifest(store)
    if manifest is None:
        return stored_of(plan, folder).book
    slots = forgotten_slots(folder, plan.slots)
    return replayed_book(plan, table_of(store, manifest, "replies"), slots, published(store, manifest))


def _add_slots(found: Named, book: Book) -> None:
    for rejection in book.rejections:
        found.source.setdefault(rejection.id, rejection.source)
    for name, slot in book.slot_of.items():
        if name in found.source:
            found.slot[name] = slot
    for slot, document in book.documents.items():
        found.source.setdefault(document.id, document.source)
        found.slot[document.id] = slot


def _chosen(found: Named, folder: Store, wanted: Iterable[str], source: str | None) -> set[str]:
    chosen = {name for name, known in found.source.items() if source is not None and known == source}
    if source is not None and not chosen and source != SYNTHETIC:
        known = ", ".join(sorted({item for item in found.source.values() if item}))
        raise RecipeError(f"{folder.url} has no document of a source `{source}`", hint=f"known: {known or 'none'}")
    for name in wanted:
        matches = [known for known in found.source if known.startswith(name)]
        if len(matches) != 1:
            raise RecipeError(f"{len(matches):,} documents of {folder.url} begin with {name!r}", hint="hornbook show")
        chosen.add(matches[0])
    return chosen


def _widened(found: Named, chosen: set[str], plan: Plan | None) -> tuple[set[str], set[str]]:
    """With the same text elsewhere, what was dropped for repeating it, and all that was written from it.

    A slot goes as a whole: an attempt that was refused for repeating a forgotten text holds much of that text, and its
    verdict could not be repeated without it.
    """
    slots: set[str] = set()
    while True:
        before = len(chosen), len(slots)
        chosen |= {twin for name in list(chosen) for twin in found.same.get(found.text.get(name, -1), ())}
        chosen |= {gone for gone, kept in found.copies if kept in chosen}
        chosen |= {name for name, parents in found.parents.items() if parents & chosen}
        slots |= {found.slot[name] for name in chosen if name in found.slot}
        slots |= {slot.id for slot in plan.slots if chosen.intersection(slot.seed_ids)} if plan else set()
        chosen |= {name for name, slot in found.slot.items() if slot in slots}
        if (len(chosen), len(slots)) == before:
            return chosen, slots
