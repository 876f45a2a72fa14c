"""Everything that is known of one document: where it came from, what it was asked with, every verdict and number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow.compute as pc

from corpus.errors import RecipeError
from corpus.ids import digest
from corpus.manifest import MANIFEST, Manifest, load_manifest, table_of
from corpus.store import Store
from filters.sensitive import redact
from generator.attempt import Turn
from generator.plan import Slot
from ray_jobs.line import run_folder
from ray_jobs.planning import Plan, plan_for
from ray_jobs.recipe import Recipe

STAGES = ("read", "generate", "filter")
WITHHELD = ("sensitive", "toxic", "contaminated")


def explain(recipe: Recipe, wanted: str) -> dict[str, Any]:
    """By document id, or the beginning of one. Raises `RecipeError` when the run holds none or several."""
    folder = run_folder(recipe)
    found: dict[str, Any] = {"id": _whole_id(folder, wanted)}
    for name in STAGES:
        manifest = load_manifest(folder.child(name))
        if manifest and (verdict := _verdict(folder.child(name), manifest, found["id"])):
            found.setdefault("verdicts", {})[name] = verdict.pop("verdict")
            found |= verdict
    found["scores"] = _scores(folder, found["id"])
    if recipe.generate and (folder.child("generate").exists(MANIFEST)):
        plan = plan_for(recipe, folder)
        if slot := _slot_of(plan, found):
            found |= _asked(plan, folder, *slot)
    return _shown(found)


def _whole_id(folder: Store, wanted: str) -> str:
    matches: set[str] = set()
    for name in STAGES:
        manifest = load_manifest(folder.child(name))
        for kind in ("documents", "rejected") if manifest else ():
            if manifest and manifest.of(kind):
                ids = table_of(folder.child(name), manifest, kind, ["id"])["id"]
                matches |= set(ids.filter(pc.starts_with(ids, wanted)).to_pylist())
    if len(matches) != 1:
        told = (
            f"{len(matches):,} documents begin with {wanted!r}"
            if matches
            else f"no document {wanted!r} in {folder.url}"
        )
        raise RecipeError(told, hint="`hornbook show RECIPE` prints ids; `--rejected` those that were not kept")
    return matches.pop()


def _verdict(store: Store, manifest: Manifest, document: str) -> dict[str, Any] | None:
    """The row, with `verdict`: kept, or the reason and its numbers."""
    for kind in ("rejected", "documents"):
        if not manifest.of(kind):
            continue
        table = table_of(store, manifest, kind)
        for row in table.filter(pc.equal(table["id"], document)).to_pylist():
            if kind == "documents":
                return {**row, "verdict": "kept"}
            return {"verdict": f"rejected: {row['reason']} ({row['detail']})"}
    return None


def _scores(folder: Store, document: str) -> dict[str, Any]:
    for name in ("filter", "score"):
        manifest = load_manifest(folder.child(name))
        if manifest and manifest.of("scores"):
            table = table_of(folder.child(name), manifest, "scores")
            for row in table.filter(pc.equal(table["id"], document)).to_pylist():
                return {key: value for key, value in row.items() if key != "id" and value not in (0, "", None)}
    return {}


def _slot_of(plan: Plan, found: dict[str, Any]) -> tuple[Slot, int, dict[str, Any]] | None:
    """Slot and attempt of a written document, by its lineage; of a rejected attempt, by its id."""
    slots, config = plan.slots, plan.recipe.generate
    assert config is not None
    if lineage := found.get("lineage"):
        slot = next((slot for slot in slots if slot.id == lineage["slot_id"]), None)
        return (slot, lineage["attempt"], lineage) if slot else None
    attempts = ((slot, attempt) for slot in slots for attempt in range(config.attempts))
    return next(((*pair, {}) for pair in attempts if digest("attempt", pair[0].id, pair[1]) == found["id"]), None)


def _asked(plan: Plan, folder: Store, slot: Slot, attempt: int, lineage: dict[str, Any]) -> dict[str, Any]:
    """The prompt, rendered again, and every part of the reply."""
    request = plan.request(Turn(slot, attempt))
    told: dict[str, Any] = {"cell": {name: getattr(slot.cell, name) for name in slot.cell.__slots__}}
    told |= {"attempt": attempt, "request_key": request.key, "prompt": list(request.messages)}
    if lineage and not lineage["operators"]:
        told["prompt_is_the_one_sent"] = request.key == lineage["request_key"]
    keys = {request.key, lineage.get("request_key", request.key)}
    manifest = load_manifest(folder.child("generate"))
    assert manifest is not None
    table = table_of(folder.child("generate"), manifest, "replies")
    rows = table.filter(pc.is_in(table["request_key"], pc.cast(list(keys), table["request_key"].type))).to_pylist()
    told["replies"] = [{key: value for key, value in row.items() if value is not None} for row in rows]
    return told


def _shown(found: dict[str, Any]) -> dict[str, Any]:
    """Sensitive text stays where it is: not even its owner's terminal gets it by accident."""
    verdicts = " ".join(found.get("verdicts", {}).values())
    withheld = any(f"rejected: {name}" in verdicts for name in WITHHELD)
    for part in [found, *found.get("replies", [])]:
        if isinstance(part.get("text"), str):
            part["text"] = "(withheld)" if withheld else redact(part["text"])[0]
    return found


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The same for a person: facts first, then numbers, prompt, reply and text."""
    for key in (
        "id",
        "source",
        "origin",
        "licence",
        "language",
        "domain",
        "topic",
        "form",
        "audience",
        "date",
        "tokens",
    ):
        if found.get(key):
            yield f"{key:<10} {found[key]}"
    for stage, verdict in found.get("verdicts", {}).items():
        yield f"{stage:<10} {verdict}"
    if lineage := found.get("lineage"):
        yield "\nlineage"
        yield from (f"  {key:<18} {value}" for key, value in lineage.items() if value not in (None, [], ""))
    if found["scores"]:
        yield "\nscores"
        yield from (
            f"  {key:<34} {value:.4g}" if isinstance(value, float) else f"  {key:<34} {value}"
            for key, value in found["scores"].items()
        )
    for message in found.get("prompt", ()):
        yield f"\n── asked, as {message['role']}\n\n{message['content']}"
    for reply in found.get("replies", ()):
        yield f"\n── answered ({reply.get('finish_reason') or reply.get('reason')})\n\n{reply.get('text', reply.get('detail', ''))}"
    if found.get("text"):
        yield f"\n── the document\n\n{found['text']}"
