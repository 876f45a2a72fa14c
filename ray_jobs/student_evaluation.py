"""`student evaluate` on plain files: panels, benchmarks, made questions, samples, and tasks of lm-evaluation-harness."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.document import Document
from corpus.errors import RecipeError
from corpus.readers import read_files

if TYPE_CHECKING:
    from trainer.evaluation.measure import Score
    from trainer.evaluation.panels import Panel, PanelScore
    from trainer.evaluation.student import Student

MADE = ("cloze", "zh-pairs", "samples")
PROMPTS = ("The main idea is", "A function is", "Once there was")
CLOZE, SAMPLE_TOKENS = 500, 60


@dataclass(frozen=True)
class Wanted:
    """What to measure. `panels` name files; `instruments` are of `MADE`, `lm-eval:TASK`, or benchmarks."""

    panels: Mapping[str, Sequence[str]]
    instruments: Sequence[str]
    trained_on: Sequence[str]
    limit: int | None
    attempts: int
    seed: int


def evaluate_files(model: Path, wanted: Wanted, say: Callable[[str], None]) -> dict[str, Any]:
    """All figures as JSON; `say` is told a line for each as it comes."""
    from trainer.evaluation.panels import score_panel
    from trainer.evaluation.student import open_student

    student = open_student(model)
    panels = {name: _panel(files) for name, files in wanted.panels.items()}
    told: dict[str, Any] = {"model": str(model), "panels": {}, "benchmarks": []}
    for name, panel in panels.items():
        measured = score_panel(student, panel)
        told["panels"][name] = _panel_told(measured)
        say(
            f"{name:<20} {measured.all.mean:.4f} bits per byte over {measured.all.bytes.sum():,} bytes; {measured.knowledge.mean:.4f} on names and numbers"
        )
    for score in _benchmarks(student, wanted, panels):
        told["benchmarks"].append(score.told())
        say(score.line())
    if tasks := [name.partition(":")[2] for name in wanted.instruments if name.startswith("lm-eval:")]:
        from trainer.evaluation.harness import harness_scores

        told["lm-eval"] = harness_scores(model, tasks, wanted.limit)
    if "samples" in wanted.instruments:
        from trainer.evaluate import sample_of

        told["samples"] = sample_of(student, PROMPTS, SAMPLE_TOKENS, seed=wanted.seed)
    return told


def _benchmarks(student: Student, wanted: Wanted, panels: Mapping[str, Panel]) -> Iterator[Score]:
    from trainer.evaluation.measure import measure, questions_score
    from trainer.evaluation.questions import cloze_of, open_benchmark
    from trainer.evaluation.zh_pairs import NAME, zh_pairs

    read = _texts(wanted.trained_on) if wanted.trained_on else None
    with _jail() as run:
        for name in wanted.instruments:
            if name == "cloze":
                groups = [(panel, text) for panel, found in panels.items() for text in found.texts]
                questions = cloze_of(groups, wanted.limit or CLOZE, wanted.seed)
                if not questions:
                    raise RecipeError("cloze: the panels have too few sentences to make questions of")
                yield questions_score(student, "cloze", questions, None)
            elif name == "zh-pairs":
                yield questions_score(student, NAME, zh_pairs()[: wanted.limit], None)
            elif name not in MADE and not name.startswith("lm-eval:"):
                found = open_benchmark(name, wanted.limit, wanted.seed)
                yield from measure(student, found, read, run, wanted.attempts, wanted.seed)


@contextmanager
def _jail() -> Iterator[Callable[..., Any]]:
    """Runs programs; the jail is opened by the first one."""
    from generator.jail import Jail, Limits, Program

    opened: list[Jail] = []

    def run(program: Program, limits: Limits | None = None) -> Any:
        if not opened:
            opened.append(Jail(parallel=1))
        return opened[0].run(program, limits)

    try:
        yield run
    finally:
        for jail in opened:
            jail.close()


def _panel(files: Sequence[str]) -> Panel:
    from trainer.evaluation.panels import AXES, Panel

    rows = [row for row in read_files(files) if isinstance(row, Document)]
    if not rows:
        raise RecipeError(f"no readable document in {', '.join(files)}")
    return Panel([row.text for row in rows], {axis: [getattr(row, axis) for row in rows] for axis in AXES})


def _texts(files: Sequence[str]) -> list[str]:
    return [row.text for row in read_files(files) if isinstance(row, Document)]


def _panel_told(score: PanelScore) -> dict[str, Any]:
    return {
        "bits_per_byte": score.all.mean,
        "documents": len(score.all.bytes),
        "bytes": int(score.all.bytes.sum()),
        "names_and_numbers": score.knowledge.mean,
        "by": {axis: {name: round(value, 4) for name, value in parts.items()} for axis, parts in score.by.items()},
    }
