"""One cell of an experiment: an arm and a seed, trained and scored. Killed anywhere, the same call goes on from there.

Scores on the way are taken from checkpoints, by stopping the training and going on: the weights in the end are those of
an undisturbed run, bit for bit.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from corpus.errors import IncompleteError
from corpus.ids import digest
from trainer import checkpoint, files
from trainer.config import StudentConfig
from trainer.evaluation.accuracy import rate
from trainer.evaluation.panels import Panel, score_panel
from trainer.evaluation.programs import Problem
from trainer.evaluation.questions import Question
from trainer.evaluation.student import Student, open_student
from trainer.packing import TokenShards, pack
from trainer.tokenizer import load_tokenizer, start_token

ON_THE_WAY = "on-the-way.json"
ANSWER_TOKENS = 64  # of a program


@dataclass(frozen=True)
class Exam:
    """What every student of an experiment is scored on; questions and problems by name of the benchmark."""

    panels: Mapping[str, Panel]
    questions: Mapping[str, Sequence[Question]] = field(default_factory=dict)
    problems: Mapping[str, Sequence[Problem]] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """Hash of what is asked."""
        panels = {name: list(panel.texts) for name, panel in self.panels.items()}
        asked = {name: [[item.name, item.gold] for item in items] for name, items in self.questions.items()}
        written = {name: [[item.prompt, item.tests] for item in items] for name, items in self.problems.items()}
        return digest("exam", panels, asked, written)


@dataclass(frozen=True)
class Cell:
    """`points` are steps after which the student is scored, besides the end. `keep` leaves the trained model there."""

    arm: str
    seed: int
    texts: Sequence[str]
    sources: Sequence[str]
    config: StudentConfig
    tokenizer: Path
    folder: Path
    points: tuple[int, ...] = ()
    keep: bool = False

    @property
    def identity(self) -> str:
        """Hash of what the student becomes."""
        return digest(
            "cell", self.arm, self.seed, self.config.identity(), digest("texts", list(self.texts)), self.points
        )


def run_cell(cell: Cell, exam: Exam) -> dict[str, Any]:
    """Train and score; the record of the cell, plain JSON."""
    from trainer.train import train

    begun = time.monotonic()
    shards = pack(cell.texts, cell.tokenizer, cell.folder / "packed", sources=cell.sources)
    way = _seen(cell.folder)
    for point in cell.points:
        if str(point) not in way:
            _train_until(cell, shards, point)
            way[str(point)] = scores(_halfway(cell, shards), exam)
            files.write_whole(cell.folder / ON_THE_WAY, json.dumps(way).encode())
    done = train(cell.config, shards.folder, cell.tokenizer, cell.folder)
    record = {
        "arm": cell.arm, "seed": cell.seed, "tokens": done.tokens, "corpus_tokens": shards.pack["tokens"],
        "parameters": done.parameters, "curve": [list(point) for point in done.curve], "scores": scores(open_student(done.model), exam),
        "on_the_way": way, "train_seconds": done.seconds, "seconds": round(time.monotonic() - begun, 1),
    }  # fmt: skip
    if not cell.keep:
        shutil.rmtree(cell.folder)
    return record


def scores(student: Student, exam: Exam) -> dict[str, Any]:
    """Bits per byte by panel, with the share on names and numbers, and shares of right answers."""
    from trainer.evaluation.accuracy import answers

    told: dict[str, Any] = {}
    for name, panel in exam.panels.items():
        found = score_panel(student, panel)
        told[name] = {"bits": found.all.mean, "names": found.knowledge.mean, "by": found.by}
    for name, questions in exam.questions.items():
        told[name] = {"right": rate(answers(student, questions)).share}
    for name, problems in exam.problems.items():
        told[name] = {"right": _solved(student, problems)}
    return told


def _solved(student: Student, problems: Sequence[Problem]) -> float:
    """pass@1, greedy, of problems that can be judged here."""
    from generator.jail import Jail
    from trainer.evaluate import completions
    from trainer.evaluation.programs import attempt, pass_at

    with Jail(parallel=1) as jail:
        done, _ = attempt(
            problems, lambda prompt: completions(student, prompt, 1, ANSWER_TOKENS, temperature=0), jail.run
        )
    return pass_at(done, 1)


def _train_until(cell: Cell, shards: TokenShards, point: int) -> None:
    from trainer.train import train

    steps = [0]
    found = checkpoint.newest(cell.folder)
    if found and int(found.name.removeprefix("step-")) >= point:
        return

    def reached() -> bool:
        return steps[-1] >= point

    config = cell.config.model_copy(update={"log_every": 1, "checkpoint_every": max(point, 1)})
    try:
        train(
            config,
            shards.folder,
            cell.tokenizer,
            cell.folder,
            progress=lambda seen: steps.append(seen.step),
            should_stop=reached,
        )
    except IncompleteError:
        return


def _halfway(cell: Cell, shards: TokenShards) -> Student:
    """The student of the newest checkpoint."""
    from safetensors.torch import load_file

    from trainer.model import build, device_of

    tokenizer, device = load_tokenizer(cell.tokenizer), device_of(cell.config)
    model = build(cell.config, tokenizer.get_vocab_size(), shards.pack["eos"]).to(device).eval()
    found = checkpoint.newest(cell.folder)
    assert found is not None
    weights = load_file(found / checkpoint.WEIGHTS)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(weights[name])
    return Student(model, tokenizer, start_token(tokenizer, cell.tokenizer), cell.config.model.context, device)


def _seen(folder: Path) -> dict[str, Any]:
    path = folder / ON_THE_WAY
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}
