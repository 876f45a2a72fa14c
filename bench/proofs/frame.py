"""What every proof has: a budget in a file beside it, cells that are trained once, and a finding with its figures."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from bench.proofs.material import Material, Text
from corpus.config import Section
from corpus.facts import Fact
from ray_jobs.experiment import Bench, Record, column
from trainer.config import StudentConfig
from trainer.lab.cell import Cell, Exam
from trainer.lab.statistics import Difference, paired
from trainer.tokenizer import train_tokenizer


class Budget(Section):
    """What a proof may spend, fixed before it runs."""

    student: StudentConfig = StudentConfig()
    seeds: int
    panel_bytes: int = 150_000
    options: dict[str, float] = {}  # noqa: RUF012 - pydantic copies it


@dataclass(frozen=True)
class Finding:
    """What came of a proof. `reached` is None where the text for it is missing; `cause` says why it was not reached."""

    reached: bool | None
    figures: Sequence[str]
    seeds: str
    control: str
    tables: Sequence[Fact] = ()
    cause: str = ""

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Proof:
    """One acceptance line. `needs` are kinds of text; `on_machine` says that the text of every machine can carry it."""

    name: str
    claim: str
    must: str
    needs: Sequence[str]
    prove: Callable[[Lab], Finding]
    on_machine: bool = False


class Processes:
    """Cells side by side, a process each, every one on one thread."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def map(self, function: Callable[..., Any], items: Iterable[Any], watch: Any = None) -> Iterator[Any]:
        """Results in the order of the items."""
        items = list(items)
        if len(items) < 2 or self._workers < 2:
            yield from map(function, items)
            return
        os.environ["OMP_NUM_THREADS"] = "1"
        with ProcessPoolExecutor(min(self._workers, len(items)), multiprocessing.get_context("spawn")) as pool:
            yield from pool.map(function, items)


@dataclass
class Lab:
    """Where one proof works."""

    name: str
    home: Path
    material: Material
    budget: Budget
    workers: int
    say: Callable[[str], None] = print
    records: list[Record] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    @property
    def seeds(self) -> range:
        """The paired seeds."""
        return range(self.budget.seeds)

    def tokenizer(self, texts: Sequence[str], name: str = "tokenizer") -> Path:
        """One for all arms of the proof."""
        folder = self.home / name
        if not (folder / "tokenizer.json").is_file():
            train_tokenizer(texts, self.budget.student.vocab_size, folder)
        return folder

    def cell(self, arm: str, seed: int, texts: Sequence[str], tokenizer: Path, **change: Any) -> Cell:
        """A cell of this proof; `change` goes into the student's config, `points` and `keep` into the cell."""
        own = {name: change.pop(name) for name in ("points", "keep") if name in change}
        values = {**self.budget.student.model_dump(), "track": (), **change, "seed": seed}
        plain = "-".join("".join(letter if letter.isalnum() else " " for letter in arm).split())
        folder = self.home / f"{plain}-{seed}"
        return Cell(
            arm, seed, texts, [arm] * len(texts), StudentConfig.model_validate(values), tokenizer, folder, **own
        )

    def run(self, cells: Iterable[Cell], exam: Exam) -> list[Record]:
        """Train what is missing; all records so far are kept in `records`."""
        found = Bench(self.home, Processes(self.workers), exam, self.say).run(cells)
        self.records += found
        return found

    def values(self, arm: str, panel: str, measure: str = "bits") -> list[float]:
        """One figure of each seed of an arm."""
        return column(self.records, arm, panel, measure)

    def gap(self, arm: str, control: str, panel: str, measure: str = "bits") -> Difference:
        """Paired over seeds."""
        return paired(self.values(arm, panel, measure), self.values(control, panel, measure))


def budget_of(name: str) -> Budget:
    """The file beside the proof."""
    return Budget.model_validate(yaml.safe_load(files("bench.proofs").joinpath(f"{name}.yaml").read_text("utf-8")))


def mean(values: Sequence[float]) -> float:
    """Plain mean."""
    return sum(values) / len(values)


def plain(texts: Sequence[Text]) -> list[str]:
    """Their texts alone."""
    return [text.text for text in texts]


def arms_table(
    lab: Lab, title: str, arms: Sequence[str], control: str, panels: Sequence[str], measure: str = "bits"
) -> Fact:
    """Means by arm and panel, with the paired difference from the control."""
    from corpus.facts import table

    heads = [head for panel in panels for head in (panel, "difference (95 %)")]
    rows: list[list[object]] = []
    for arm in arms:
        row: list[object] = [arm]
        for panel in panels:
            row += [
                round(mean(lab.values(arm, panel, measure)), 4),
                "control" if arm == control else str(lab.gap(arm, control, panel, measure)),
            ]
        rows.append(row)
    return table(title, ["arm", *heads], rows)


Options = Mapping[str, float]
