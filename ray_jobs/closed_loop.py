"""`lab loop`: what a student is weak at decides what the teacher writes next, against the same tokens spread evenly.

Both lines share round 0. After it each round is a run of its own under STORE/NAME@VERSION/loop/, with a budget by cell:
the closed line's from its students' weakness on held-out documents of every cell, the uniform line's even. In the end
students of both lines are trained on as many teacher tokens and compared on held-out documents that neither has read.
Every run and every student is committed: a stopped loop goes on where it was.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import RecipeError
from corpus.facts import Fact, table
from corpus.manifest import Balance, Manifest, table_of
from corpus.report import render_report
from corpus.shards import write_partition
from corpus.store import Store, open_store
from filters.blend import held_out
from filters.dedup import find_duplicates
from ray_jobs.drive import run
from ray_jobs.experiment import Bench, Record, column
from ray_jobs.passes import passes_for
from ray_jobs.recipe import Recipe
from ray_jobs.stage import Made, Stage, complete

if TYPE_CHECKING:
    from trainer.evaluation.panels import Panel
    from trainer.lab.allocation import Signal, Weakness

CLOSED, UNIFORM, SYNTHETIC, REPORT = "closed", "uniform", "synthetic", "report.html"
PROBE = 0.25  # share of round 0's written documents that no student reads
DEFAULT_SHARE = 0.5  # of what the teacher wrote, in what a student reads


@dataclass(frozen=True)
class Loop:
    """What is asked: so many rounds after the shared one, budgets by these axes, moved by this signal."""

    recipe: Recipe
    rounds: int
    axes: tuple[str, ...] = ("domain",)
    signal: Signal = "loss"
    seeds: int = 3

    @property
    def home(self) -> str:
        """Where the loop's runs lie."""
        return f"{self.recipe.store.rstrip('/')}/{self.recipe.label}/loop"

    @property
    def documents(self) -> int:
        """Of one round."""
        assert self.recipe.generate
        return self.recipe.generate.documents

    def round(self, line: str, number: int, budget: Mapping[str, int]) -> Recipe:
        """The recipe of one round; round 0 has no budget, and is both lines'."""
        assert self.recipe.generate
        generate = self.recipe.generate
        cells = generate.coverage.model_copy(update={"cells": self.axes})
        change: dict[str, Any] = {
            "name": f"{line}-round-{number}" if number else "round-0", "store": self.home, "student": None,
            "seed": self.recipe.seed + number,
            "generate": generate.model_copy(update={"budget": dict(budget), "coverage": cells}),
        }  # fmt: skip
        if number and not generate.seeds:
            change["sources"] = {}
        return self.recipe.model_copy(update=change)


@dataclass
class _Line:
    """One way to spend: what was written so far, round by round, and the budgets that asked for it."""

    name: str
    written: list[pa.Table] = field(default_factory=list)
    budgets: list[Mapping[str, int]] = field(default_factory=list)

    def texts(self, tokens: int | None = None) -> list[str]:
        """All documents in the order of the rounds, up to so many teacher tokens."""
        rows = pa.concat_tables(self.written)
        taken, size = list[str](), 0
        for text, count in zip(rows["text"].to_pylist(), rows["tokens"].to_pylist(), strict=True):
            if tokens is not None and size + count > tokens:
                break
            taken.append(text)
            size += count
        return taken

    @property
    def tokens(self) -> int:
        """Teacher tokens of everything written."""
        return sum(int(pc.sum(part["tokens"]).as_py() or 0) for part in self.written)


def closed_loop(loop: Loop, say: Callable[[str], None]) -> Manifest:
    """Run what is missing; the manifest says what was found. Raises `RecipeError` for a recipe that cannot be looped."""
    if loop.recipe.generate is None or loop.recipe.student is None:
        raise RecipeError("a loop needs a recipe with `generate` and `student`")
    if loop.recipe.student.distil is not None or loop.recipe.student.init:
        raise RecipeError(
            "a loop trains from new weights on texts alone", hint="leave student.distil and student.init out"
        )
    store = open_store(loop.home)
    if store.local is None:
        raise RecipeError("students are trained on a local or shared disk", hint="set `store` to a folder")
    config = {"recipe": loop.recipe.model_dump(mode="json", exclude={"run", "store"}), "rounds": loop.rounds, "axes": list(loop.axes),
              "signal": loop.signal, "seeds": loop.seeds}  # fmt: skip
    stage = Stage("loop", config, {}, lambda place: _Work(loop, store.local, say).made(place))  # type: ignore[arg-type]
    manifest = complete(stage, store, loop.recipe.label)
    store.replace(REPORT, render_report(f"Closed loop: {loop.recipe.label}", {"loop": manifest}).encode())
    return manifest


class _Work:
    """The loop in the making."""

    def __init__(self, loop: Loop, home: Path, say: Callable[[str], None]) -> None:
        self._loop, self._home, self._say = loop, home, say
        first, web = self._run(CLOSED, 0, {})
        probe = pa.array([held_out(row, PROBE, loop.recipe.seed) for row in first["id"].to_pylist()], pa.bool_())
        self._probe, rest = first.filter(probe), first.filter(pc.invert(probe))
        self._web = web["text"].to_pylist()
        if not self._probe.num_rows or not rest.num_rows:
            raise RecipeError(f"round 0 kept {first.num_rows} documents: too few to hold any out", hint="write more")
        self._lines = [_Line(CLOSED, [rest]), _Line(UNIFORM, [rest])]
        self._tokenizer = self._trained_tokenizer(rest["text"].to_pylist())
        self._log: list[list[object]] = []

    def made(self, store: Store) -> Made:
        """All rounds, and the comparison."""
        for number in range(1, self._loop.rounds + 1):
            for line in self._lines:
                budget = self._budget(line, number)
                written, _ = self._run(line.name, number, budget)
                line.written.append(self._new(line, written))
                line.budgets.append(budget)
        records = self._compare()
        scores = [{"line": record["arm"], "seed": record["seed"], "panel": panel, "bits": found["bits"]}
                  for record in records for panel, found in record["scores"].items()]  # fmt: skip
        count = sum(part.num_rows for line in self._lines for part in line.written)
        return Made((write_partition(store, "scores", 0, pa.Table.from_pylist(scores)),), Balance(taken=count, kept=count),
                    facts=self._facts(records), totals={"documents": count, "rounds": self._loop.rounds})  # fmt: skip

    def _run(self, line: str, number: int, budget: Mapping[str, int]) -> tuple[pa.Table, pa.Table]:
        """(written, read) documents that a round's filter kept."""
        drive = run(self._loop.round(line, number, budget), until="filter")
        kept = table_of(drive.folder.child("filter"), drive.manifests["filter"], "documents").sort_by("id")
        own = pc.equal(kept["source"], SYNTHETIC)
        self._say(f"{line}, round {number}: {pc.sum(own).as_py() or 0} documents written and kept")
        return kept.filter(own), kept.filter(pc.invert(own))

    def _new(self, line: _Line, written: pa.Table) -> pa.Table:
        """Without near copies of what the line has already, and of what is held out."""
        known = pa.concat_tables([*line.written, self._probe])
        parts = [part.select(["id", "text"]).append_column("priority", pa.array([weight] * part.num_rows, pa.float64()))
                 for part, weight in ((known, 1.0), (written, 0.0))]  # fmt: skip
        copies = find_duplicates(parts, self._loop.recipe.filters.duplicates)
        return written.filter(pc.invert(pc.is_in(written["id"], copies["id"].combine_chunks())))

    def _budget(self, line: _Line, number: int) -> dict[str, int]:
        from trainer.lab.allocation import Weakness, allocate

        cells = sorted({key for key, _ in self._probe_cells()})
        if line.name == UNIFORM:
            return allocate(dict.fromkeys(cells, Weakness(0, 0, 0)), self._loop.documents, "loss")
        weak = self._weakness(line, number)
        budget = allocate(weak, self._loop.documents, self._loop.signal)
        for cell, found in weak.items():
            self._log.append(
                [
                    number,
                    cell,
                    round(found.loss, 3),
                    round(found.uncertainty, 3),
                    round(found.disagreement, 4),
                    budget[cell],
                ]
            )
            self._say(f"round {number}: {cell}: loss {found.loss:.3f} bits per byte → {budget[cell]} documents")
        return budget

    def _weakness(self, line: _Line, number: int) -> dict[str, Weakness]:
        """Of each cell, by a committee of students of what the line has written so far."""
        from trainer.evaluate import bits_of
        from trainer.evaluation.student import open_student
        from trainer.evaluation.uncertainty import entropy
        from trainer.lab.allocation import weakness

        folders = [self._student(line, number, seed) for seed in range(self._loop.seeds)]
        students = [open_student(folder) for folder in folders]
        found = {}
        for cell, texts in self._by_cell().items():
            scored = [bits_of(student, texts) for student in students]
            bits = [list(one.nats / one.bytes / math.log(2)) for one in scored]
            found[cell] = weakness(bits, [entropy(student, texts) for student in students])
        return found

    def _student(self, line: _Line, number: int, seed: int) -> Path:
        """The exported model of a student of the rounds before this one."""
        from trainer.packing import pack
        from trainer.train import train

        assert self._loop.recipe.student
        out = self._home / "committee" / f"{line.name}-{number}-{seed}"
        config = self._loop.recipe.student.model_copy(update={"seed": seed, "track": ()})
        shards = pack(self._mix(line.texts(), seed), self._tokenizer, out / "packed")
        return train(config, shards.folder, self._tokenizer, out).model

    def _compare(self) -> list[Record]:
        """Students of both lines at equal teacher tokens."""
        from trainer.lab.cell import Cell, Exam

        assert self._loop.recipe.student
        tokens = min(line.tokens for line in self._lines)
        config = self._loop.recipe.student
        cells = [
            Cell(line.name, seed, texts, [line.name] * len(texts), config.model_copy(update={"seed": seed, "track": ()}),
                 self._tokenizer, self._home / "students" / f"{line.name}-{seed}")
            for seed in range(self._loop.seeds) for line in self._lines for texts in [self._mix(line.texts(tokens), seed)]
        ]  # fmt: skip
        panels = {"all": self._panel([text for _, text in self._probe_cells()])}
        panels |= {cell: self._panel(texts) for cell, texts in self._by_cell().items()}
        return Bench(self._home, passes_for(self._loop.recipe.run), Exam(panels), self._say).run(cells)

    def _mix(self, written: Sequence[str], seed: int) -> list[str]:
        """What was written, and web text beside it where the recipe reads any."""
        import numpy as np

        from trainer.lab.arms import fill

        assert self._loop.recipe.student
        draw = np.random.default_rng([seed, 12])
        share = self._loop.recipe.blend.weights.get(SYNTHETIC, DEFAULT_SHARE) if self._web else 1.0
        size = sum(len(text.encode()) for text in written)
        both = [*written, *fill(self._web, size * (1 - share) / share, draw)]
        return [both[place] for place in draw.permutation(len(both))]

    def _probe_cells(self) -> Iterator[tuple[str, str]]:
        columns = [self._probe[axis].to_pylist() for axis in self._loop.axes]
        for *values, text in zip(*columns, self._probe["text"].to_pylist(), strict=True):
            yield "/".join(values), text

    def _by_cell(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for cell, text in self._probe_cells():
            found.setdefault(cell, []).append(text)
        return dict(sorted(found.items()))

    @staticmethod
    def _panel(texts: Sequence[str]) -> Panel:
        from trainer.evaluation.panels import Panel

        return Panel(list(texts), {})

    def _trained_tokenizer(self, texts: Sequence[str]) -> Path:
        from trainer.tokenizer import train_tokenizer

        assert self._loop.recipe.student
        folder = self._home / "tokenizer"
        if not (folder / "tokenizer.json").is_file():
            train_tokenizer([*texts, *self._web], self._loop.recipe.student.vocab_size, folder)
        return folder

    def _facts(self, records: Sequence[Record]) -> dict[str, Fact]:
        from trainer.lab.statistics import paired, verdict

        rows: list[list[object]] = []
        for panel in records[0]["scores"]:
            ours, even = column(records, CLOSED, panel), column(records, UNIFORM, panel)
            rows.append(
                [panel, round(sum(ours) / len(ours), 4), round(sum(even) / len(even), 4), str(paired(ours, even))]
            )
        overall = paired(column(records, CLOSED, "all"), column(records, UNIFORM, "all"))
        said = verdict("the closed loop", "the even budget", "held-out", overall)
        totals = [[line.name, sum(part.num_rows for part in line.written), line.tokens] for line in self._lines]
        return {
            "loop.verdict": table("What may be said", ["verdict"], [[said]]),
            "loop.cells": table("Held-out bits per byte, by cell", ["cell", CLOSED, UNIFORM, "difference (95 %)"], rows,
                                caption=f"Both lines at {min(line.tokens for line in self._lines):,} teacher tokens; {self._loop.seeds} paired seeds."),
            "loop.budgets": table("Weak cells and what they were given", ["round", "cell", "loss", "uncertainty", "disagreement", "documents"], self._log),
            "loop.lines": table("What the teacher wrote", ["line", "documents", "tokens"], totals),
        }  # fmt: skip
