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
from generator.plan import Slot
from generator.reply import Reply
from generator.retell import retell
from ray_jobs.line import run_folder
from ray_jobs.planning import Plan, plan_for
from ray_jobs.recipe import Recipe
from ray_jobs.stages.generate import outcomes_in

STAGES = ("read", "clean", "generate", "filter")
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
    """Every step of the attempt, its prompt rendered again, and every outcome."""
    config, manifest = plan.recipe.generate, load_manifest(folder.child("generate"))
    assert config is not None
    assert manifest is not None
    replies = table_of(folder.child("generate"), manifest, "replies")
    stored = {item.request_key: item for item in outcomes_in(replies)}
    steps, _ = retell(slot, attempt, plan.cast, plan.request, lambda request: stored.get(request.key), config)
    told: dict[str, Any] = {"cell": {name: getattr(slot.cell, name) for name in slot.cell.__slots__}}
    told |= {"attempt": attempt, "request_key": steps[0].request.key, "prompt": list(steps[0].request.messages)}
    sent = {lineage["request_key"], *(lineage["parents"] or ())} if lineage else set()
    told["steps"] = [
        {"step": item.step, "request_key": item.request.key, "prompt": list(item.request.messages),
         **({"prompt_is_the_one_sent": item.request.key in sent} if sent else {})} for item in steps
    ]  # fmt: skip
    if sent:
        told["prompt_is_the_one_sent"] = sent == {item.request.key for item in steps if isinstance(item.outcome, Reply)}
    told["replies"] = [
        {key: value for key, value in item.outcome.to_record().items() if value is not None}
        for item in steps if item.outcome
    ]  # fmt: skip
    return told


def _shown(found: dict[str, Any]) -> dict[str, Any]:
    """Sensitive text stays where it is: not even its owner's terminal gets it by accident."""
    verdicts = " ".join(found.get("verdicts", {}).values())
    withheld = any(f"rejected: {name}" in verdicts for name in WITHHELD)
    for part in [found, *found.get("replies", [])]:
        if isinstance(part.get("text"), str):
            part["text"] = _clean(part["text"], withheld)
    for step in found.get("steps", [])[1:]:  # their prompts hold what was answered before
        step["prompt"] = [{**item, "content": _clean(item["content"], withheld)} for item in step["prompt"]]
    return found


def _clean(text: str, withheld: bool) -> str:
    return "(withheld)" if withheld else redact(text)[0]


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
    replies = {reply["request_key"]: reply for reply in found.get("replies", ())}
    for step in found.get("steps", ()):
        yield f"\n━━ {step['step']}  {step['request_key']}{_compared(step)}"
        for message in step["prompt"]:
            yield f"\n── asked, as {message['role']}\n\n{message['content']}"
        if reply := replies.get(step["request_key"]):
            how = reply.get("finish_reason") or reply.get("reason")
            yield f"\n── answered ({how})\n\n{reply.get('text', reply.get('detail', ''))}"
    if found.get("text"):
        yield f"\n── the document\n\n{found['text']}"


def _compared(step: dict[str, Any]) -> str:
    if "prompt_is_the_one_sent" not in step:
        return ""
    return "  (the prompt that was sent)" if step["prompt_is_the_one_sent"] else "  (not the prompt that was sent)"
