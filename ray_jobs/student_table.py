"""Students beside their teacher: what each costs to keep and to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from corpus.facts import Fact, table
from ray_jobs.label_files import teacher_folder
from ray_jobs.student_files import texts_of
from trainer.compression.routes import measure
from trainer.footprint import Footprint, footprint

TITLES = {
    "model": "model", "parameters": "parameters", "bytes": "MB", "memory": "memory MB", "first_token": "first token ms",
    "tokens_per_second": "tokens/s", "bits_per_byte": "bits/byte",
}  # fmt: skip
SHOWN = {"bytes": lambda n: f"{n / 1e6:,.1f}", "memory": lambda n: f"{n / 1e6:,.0f}", "first_token": lambda s: f"{s * 1000:,.1f}",
         "parameters": lambda n: f"{n / 1e6:,.2f} M", "tokens_per_second": lambda n: f"{n:,.0f}"}  # fmt: skip

COSTS = ("parameters", "bytes", "memory", "first_token", "tokens_per_second")
HOW = "One process, one thread, float32; a prompt of 64 tokens; CPU seconds, the best of three."


def compared(students: Sequence[Path], teacher: str, files: Sequence[str]) -> list[dict[str, Any]]:
    """A row a model, the teacher last."""
    folders = [*students, *([teacher_folder(teacher)] if teacher else [])]
    texts = texts_of(files) if files else []
    rows = []
    for folder in folders:
        loss = {"bits_per_byte": measure(folder, texts)["bits_per_byte"]} if texts else {}
        rows.append({"model": str(folder), **asdict(footprint(folder)), **loss})
    return rows


def side_by_side(rows: Mapping[str, Footprint]) -> Fact:
    """The table of a report: the first model, and how many times as much each of the others costs."""
    first = next(iter(rows.values()))
    found = []
    for name, cost in rows.items():
        values = asdict(cost)
        times = f"{first.tokens_per_second / cost.tokens_per_second:,.0f} ×" if cost is not first else "1"
        found.append([name, *(SHOWN[key](values[key]) for key in COSTS), times])
    return table(
        "What they cost to run", ["model", *(TITLES[key] for key in COSTS), "time for a token"], found, caption=HOW
    )


def rendered(rows: Sequence[dict[str, Any]], as_json: bool) -> str:
    """A Markdown table, or JSON."""
    if as_json:
        return orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode()
    keys = [key for key in TITLES if key in rows[0]]
    lines = ["| " + " | ".join(TITLES[key] for key in keys) + " |", "|" + " --- |" * len(keys)]
    for row in rows:
        lines.append("| " + " | ".join(SHOWN.get(key, str)(row[key]) for key in keys) + " |")
    return "\n".join([*lines, "", HOW])
