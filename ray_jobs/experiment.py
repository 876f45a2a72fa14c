"""Cells of an experiment, run where there is room, each committed once: what is there is never trained again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from corpus.errors import StateError
from corpus.ids import digest
from corpus.local_store import LocalStore
from ray_jobs.passes import Passes

if TYPE_CHECKING:
    from trainer.lab.cell import Cell, Exam

Record = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """Where cells rest, how they are run, and what they are scored on."""

    home: Path
    passes: Passes
    exam: Exam
    say: Callable[[str], None] = print

    def run(self, cells: Iterable[Cell]) -> list[Record]:
        """The records of all cells, in their order; those that are there are read. Raises `StateError` for one that was
        made of other text or by another recipe."""
        cells = list(cells)
        found = {cell.folder.name: self.read(cell) for cell in cells}
        waiting = [cell for cell in cells if found[cell.folder.name] is None]
        for cell, record in zip(waiting, self.passes.map(partial(_run, self.exam), waiting), strict=True):
            self._commit(cell, record)
            found[cell.folder.name] = record
            self.say(f"{cell.arm}, seed {cell.seed}: {_told(record)} in {record['seconds']:.0f} s")
        return [record for record in found.values() if record is not None]

    def read(self, cell: Cell) -> Record | None:
        """The record of a cell that is done."""
        try:
            kept = orjson.loads(LocalStore(self.home).read(_name(cell)))
        except FileNotFoundError:
            return None
        if kept["identity"] != self._identity(cell):
            raise StateError(
                f"{self.home / _name(cell)}: of other texts, another recipe or other panels",
                hint="delete the folder to run the experiment again, or choose another one",
            )
        record: Record = kept["record"]
        return record

    def _commit(self, cell: Cell, record: Record) -> None:
        body = {"identity": self._identity(cell), "record": record}
        LocalStore(self.home).commit(_name(cell), orjson.dumps(body))

    def _identity(self, cell: Cell) -> str:
        return digest("record", cell.identity, self.exam.identity)


def _run(exam: Exam, cell: Cell) -> Record:
    from trainer.lab.cell import run_cell

    return run_cell(cell, exam)


def _name(cell: Cell) -> str:
    return f"cells/{cell.folder.name}.json"


def _told(record: Record) -> str:
    return ", ".join(
        f"{name} {found['bits']:.3f}" if "bits" in found else f"{name} {found['right']:.1%}"
        for name, found in record["scores"].items()
    )


def column(records: Sequence[Record], arm: str, panel: str, measure: str = "bits") -> list[float]:
    """One figure of every seed of an arm, in the order of the seeds."""
    chosen = sorted((record for record in records if record["arm"] == arm), key=lambda record: record["seed"])
    return [record["scores"][panel][measure] for record in chosen]
