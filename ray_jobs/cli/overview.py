"""What plan, status and show print. All of it is read from the disk."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pyarrow.compute as pc

from corpus.errors import IncompleteError, StateError
from corpus.manifest import MANIFEST, load_manifest, table_of, verify_stage
from filters.sensitive import redact
from generator.config import GenerateConfig
from generator.plan import key_of
from ray_jobs.drive import STAGES, Drive
from ray_jobs.ledger import told as ledger_lines
from ray_jobs.line import run_folder
from ray_jobs.planning import plan_for
from ray_jobs.recipe import Recipe
from ray_jobs.resolve import resolve
from ray_jobs.steering import state_of
from ray_jobs.stored import answered
from ray_jobs.talk import PROGRESS

TEXT_SHOWN = 1200  # characters of a row
FILTERS_SHOWN = 8  # in the status of a stage


def plan_of(recipe: str, settings: list[str]) -> dict[str, Any]:
    """Slots by domain and form, requests and tokens at most, the next stage, and where values came from."""
    resolved = resolve(recipe, settings)
    found: dict[str, Any] = {"run": resolved.recipe.label, "folder": run_folder(resolved.recipe).url}
    config = resolved.recipe.generate
    if config:
        found |= _asked(resolved.recipe, config)
        found["requests answered before"] = _answered(resolved.recipe)
    if resolved.recipe.student:
        found["student tokens an arm"] = resolved.recipe.student.tokens
    found["next stage"] = Drive(resolved.recipe, run_folder(resolved.recipe)).look() or "none: complete"
    found["origins"] = {key: value for key, value in sorted(resolved.origins.items())}
    return found


def _answered(recipe: Recipe) -> str:
    """By this run and by others of the store: what a run would not ask again."""
    folder = run_folder(recipe)
    if folder.child("generate").exists(MANIFEST):
        return "all: the teacher's part is complete"
    try:
        own, other = answered(plan_for(recipe, folder), folder, lambda text: print(text, file=sys.stderr))
    except IncompleteError as not_yet:
        return str(not_yet)
    return f"{own + other:,} ({own:,} by this run, {other:,} by others in {recipe.store})"


def _asked(recipe: Recipe, config: GenerateConfig) -> dict[str, Any]:
    """Slots, the target of every cell, and what may be asked at most, replacements included."""
    try:
        slots = plan_for(recipe, run_folder(recipe)).planned
    except IncompleteError as not_yet:
        return {"slots": config.documents, "cells": str(not_yet)}
    axes = config.coverage.cells
    cells = Counter(key_of(slot.cell, axes) for slot in slots)
    most = len(slots) + sum(math.ceil(config.coverage.replacements * target) for target in cells.values())
    requests = most * config.attempts
    return {
        "slots": len(slots), f"cells of {' × '.join(axes)}": len(cells),
        "cells": {" · ".join(key): target for key, target in cells.items()},
        "requests at most": requests, "reply tokens at most": requests * config.max_tokens,
    }  # fmt: skip


def print_plan(found: dict[str, Any], *, as_json: bool) -> None:
    """As JSON, or one line a fact."""
    if as_json:
        return _json(found)
    for key, value in found.items():
        if isinstance(value, dict):
            print(f"{key}:")
            for name, item in value.items():
                print(f"  {name:<44} {item}")
        else:
            print(f"{key:<22} {value:,}" if isinstance(value, int) else f"{key:<22} {value}")
    return None


def status_of(recipe: str, settings: list[str]) -> dict[str, Any]:
    """Stages with their balance, and the progress of one that is running."""
    folder = run_folder(resolve(recipe, settings).recipe)
    stages = {}
    for name in STAGES:
        manifest = load_manifest(folder.child(name))
        if manifest:
            manifest.balance.check(name)
            stages[name] = {
                "balance": manifest.balance.model_dump(), "reasons": manifest.reasons, "totals": manifest.totals,
                "seconds": manifest.seconds, "fingerprint": manifest.fingerprint, "dataset_hash": manifest.dataset_hash,
                "forgotten": manifest.forgotten,
            }  # fmt: skip
            stages[name] |= {fact: manifest.facts[fact] for fact in ("ledger", "overlap") if fact in manifest.facts}
    running = orjson.loads(folder.read(PROGRESS)) if folder.exists(PROGRESS) else None
    missing = [name for name in STAGES if name not in stages]
    return {"folder": folder.url, "stages": stages, "missing": missing, "last progress": running if missing else None,
            "coverage": state_of(folder)}  # fmt: skip


def print_status(found: dict[str, Any], *, as_json: bool) -> None:
    """As JSON, or one line a stage."""
    if as_json:
        return _json(found)
    print(found["folder"])
    for name, stage in found["stages"].items():
        balance = stage["balance"]
        into = f"{balance['taken'] + balance['made'] + balance['repeated']:,} in"
        print(
            f"  {name:<10} {into} = {balance['kept']:,} kept + {balance['rejected']:,} rejected + {balance['unused']:,} unused  ({stage['seconds']:.0f} s)"
        )
        for line in ledger_lines(stage["ledger"]) if "ledger" in stage else ():
            print(f"             {line}")
        for line in _overlap_lines(stage["overlap"]) if "overlap" in stage else ():
            print(f"             {line}")
        if stage["forgotten"]:
            print(
                f"             taken down: {', '.join(f'{count:,} {kind}' for kind, count in stage['forgotten'].items())}"
            )
    if found["last progress"]:
        last = found["last progress"]
        print(f"  {last['stage']:<10} {last['done']:,}/{last['total']:,} {last['unit']} {last['note']}")
    if found["coverage"]:
        print("\n".join(_cell_lines(found["coverage"])))
    for name in found["missing"]:
        print(f"  {name:<10} not complete")
    return None


def _overlap_lines(fact: dict[str, Any]) -> Iterator[str]:
    """The filters that remove most: how many each is the reason of, and would be alone."""
    for name, alone, _, first, only, _ in fact["rows"][:FILTERS_SHOWN]:
        yield f"{name:<26} reason of {first:,}; alone {alone:,}, of which nothing else removes {only:,}"
    if len(fact["rows"]) > FILTERS_SHOWN:
        yield f"and {len(fact['rows']) - FILTERS_SHOWN} more filters"


def _cell_lines(coverage: dict[str, Any]) -> Iterator[str]:
    """How many cells are filled, and each that is closed or short with its reason."""
    cells = coverage["cells"]
    full = sum(cell["kept"] >= cell["target"] for cell in cells)
    yield f"  {'cells':<10} {full:,} of {len(cells):,} filled" + (
        f"; ended: {coverage['ended']}" if coverage["ended"] else ""
    )
    for cell in cells:
        if cell["kept"] < cell["target"] and (cell["closed"] or cell["lost"] or coverage["ended"]):
            lost = ", ".join(
                f"{reason} {count:,}" for reason, count in sorted(cell["lost"].items(), key=lambda one: -one[1])
            )
            why = cell["closed"] or lost or coverage["ended"]
            yield f"    {cell['cell']:<44} {cell['kept']:,} of {cell['target']:,}, {cell['pending']:,} open: {why}"


def rows_of(recipe: str, settings: list[str], count: int, *, as_json: bool, source: str | None = None) -> None:
    """Print kept rows, of one source only where it is named."""
    folder = run_folder(resolve(recipe, settings).recipe)
    name = next((stage for stage in ("filter", "generate") if load_manifest(folder.child(stage))), None)
    if name is None:
        raise StateError(f"{folder.url}: nothing is complete yet", hint="hornbook run")
    manifest = load_manifest(folder.child(name))
    assert manifest is not None
    table = table_of(folder.child(name), manifest, "documents")
    if source:
        table = table.filter(pc.equal(table["source"], source))
    for row in table.slice(0, count).to_pylist():
        if as_json:
            print(orjson.dumps(row).decode())
            continue
        head = " · ".join(part for part in (row["id"], row["source"], row["domain"], row["topic"], row["form"]) if part)
        print(f"── {head}\n\n{redact(row['text'])[0][:TEXT_SHOWN]}\n")


def problems_of(recipe: str, settings: list[str]) -> list[str]:
    """Everything that is wrong with the stages of a run on disk."""
    folder = run_folder(resolve(recipe, settings).recipe)
    return [
        problem
        for name in STAGES
        if folder.child(name).exists("manifest.json")
        for problem in verify_stage(folder.child(name))
    ]


def _json(found: Any) -> None:
    print(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())
