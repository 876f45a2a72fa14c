"""evaluate: every student on the same held-out text, with paired intervals against the control arm, and its own words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpus.facts import Fact, samples, table
from corpus.ids import digest
from corpus.manifest import Balance, Manifest, table_of
from corpus.shards import write_partition
from corpus.store import Store
from filters.sensitive import redact
from generator.teacher_config import EMBEDDED
from ray_jobs.label_files import teacher_folder
from ray_jobs.line import Line
from ray_jobs.stage import Made, Stage
from ray_jobs.stages.blend import RAW

PROMPTS = ("The main idea is", "A function is", "Once there was")
SAMPLE_TOKENS, PANEL_DOCUMENTS = 60, 150
CAVEAT = (
    "A demo, not a proof: one seed, a few hundred thousand tokens, and text that happened to be on this machine. "
    "Lower is better; intervals are 95 % over documents only, not over seeds."
)


@dataclass(frozen=True)
class Task:
    """One student to score, by a worker that knows nothing else."""

    arm: str
    model: str
    panels: dict[str, list[str]]
    seed: int
    threads: int


@dataclass(frozen=True)
class Scored:
    """A student's scores by panel, those on names and numbers alone, and samples."""

    arm: str
    panels: dict[str, Any]
    names: dict[str, float]
    texts: list[str]


def stage(line: Line, blend: Manifest, train: Manifest) -> Stage:
    """The stage of this recipe."""
    config = {"panel_documents": PANEL_DOCUMENTS, "prompts": list(PROMPTS), "seed": line.recipe.seed}
    return Stage("evaluate", config, {"blend": blend, "train": train}, lambda store: _work(line, blend, train, store))


def _work(line: Line, blend: Manifest, train: Manifest, store: Store) -> Made:
    students = table_of(line.folder.child("train"), train, "students").to_pylist()
    panels = _panels(line, table_of(line.folder.child("blend"), blend, "held_out"))
    tasks = [Task(row["arm"], str(Path(row["folder"]) / "model"), panels, line.recipe.seed, 1) for row in students]
    scored = list(line.passes.map(score_one, tasks))
    rows, columns = _table(scored, panels, line.recipe.seed)
    count = sum(map(len, panels.values()))
    parts = [
        {"arm": item.arm, "panel": name, "bits_per_byte": value.mean, "names_and_numbers": item.names[name]}
        for item in scored
        for name, value in item.panels.items()
    ]
    return Made(
        partitions=(write_partition(store, "scores", 0, pa.Table.from_pylist(parts)),),
        balance=Balance(taken=count, kept=count),
        facts={
            "arms": table("Held-out bits per byte, by arm", columns, rows, caption=CAVEAT),
            "arms.names": table("Bits per byte of names and numbers: what knowledge costs", ["arm", *panels], [[item.arm, *(round(item.names[name], 4) for name in panels)] for item in scored]),
            **_costs(line, students[-1]),
            "samples.student": samples("In the students' own words", [
                {"id": f"{item.arm} · {number + 1}", "text": redact(text)[0], "domain": item.arm} for item in scored for number, text in enumerate(item.texts)
            ]),
        },
        totals={"documents": count},
    )  # fmt: skip


def score_one(task: Task) -> Scored:
    """Bits per byte on each panel, and samples."""
    from trainer.evaluate import sample_of
    from trainer.evaluation.panels import Panel, score_panel
    from trainer.evaluation.student import open_student

    student = open_student(Path(task.model), threads=task.threads)
    found = {name: score_panel(student, Panel(texts, {})) for name, texts in task.panels.items()}
    return Scored(
        task.arm,
        {name: score.all for name, score in found.items()},
        {name: score.knowledge.mean for name, score in found.items()},
        sample_of(student, PROMPTS, SAMPLE_TOKENS, seed=task.seed),
    )


def _costs(line: Line, student: dict[str, Any]) -> dict[str, Fact]:
    """Bytes, memory and pace of a student (they are all of one shape) and of the embedded teacher. Another one may be too
    large to be measured in passing: `hornbook student compare` does it."""
    if line.recipe.teacher.model != EMBEDDED:
        return {}
    from ray_jobs.student_table import side_by_side
    from trainer.footprint import footprint

    folders = {"student": Path(student["folder"]) / "model", "teacher": teacher_folder(EMBEDDED)}
    return {"student.cost": side_by_side(dict(zip(folders, line.passes.map(footprint, folders.values()), strict=True)))}


def _panels(line: Line, held: pa.Table) -> dict[str, list[str]]:
    found = {}
    for name in dict.fromkeys(held["panel"].to_pylist()):
        part = held.filter(pc.equal(held["panel"], name)).to_pylist()
        part.sort(key=lambda row: digest("panel", line.recipe.seed, row["id"]))
        found[name] = [row["text"] for row in part[:PANEL_DOCUMENTS]]
    return found


def _table(scored: list[Scored], panels: dict[str, list[str]], seed: int) -> tuple[list[list[object]], list[str]]:
    """One row an arm: its score on each panel, and the paired difference from the control."""
    from trainer.evaluate import paired_difference

    control = next((item for item in scored if item.arm == RAW), scored[0])
    columns = ["arm"] + [title for name in panels for title in (name, f"{name}: difference from {control.arm}")]
    rows: list[list[object]] = []
    for item in scored:
        row: list[object] = [item.arm]
        for name in panels:
            row.append(round(item.panels[name].mean, 4))
            mean, low, high = paired_difference(item.panels[name], control.panels[name], seed)
            row.append("control" if item is control else f"{mean:+.3f} ({low:+.3f} to {high:+.3f})")
        rows.append(row)
    return rows, columns
