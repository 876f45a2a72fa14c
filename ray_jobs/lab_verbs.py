"""The lab's verbs: from what the command line says to an experiment, and back to lines of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import RecipeError
from corpus.markdown import fact_text
from ray_jobs.ablation import Ablation, ablate
from ray_jobs.ablation_inputs import Inputs, inputs_of_files, inputs_of_recipe
from ray_jobs.experiment import Bench
from ray_jobs.passes import passes_for
from ray_jobs.recipe import RunConfig
from ray_jobs.resolve import resolve
from ray_jobs.student_config import student_config
from trainer.config import StudentConfig

if TYPE_CHECKING:
    from trainer.lab.cell import Exam

SEED, QUESTIONS = 17, 500
AXES = ("language", "domain", "form", "audience", "style", "topic")


@dataclass(frozen=True)
class AblationWanted:
    """What the command line said."""

    recipe: str | None
    raw: tuple[str, ...]
    filtered: tuple[str, ...]
    synthetic: tuple[str, ...]
    neutral: tuple[str, ...]
    instruments: tuple[str, ...]
    arms: tuple[str, ...]
    seeds: int
    null: int
    leave_one_out: bool
    preset: str
    out: Path | None
    workers: int
    change: tuple[str, ...]


def ablate_lines(wanted: AblationWanted, say: Callable[[str], None]) -> list[str]:
    """Run the experiment; its tables and verdicts."""
    inputs, config, out = _given(wanted)
    possible = inputs.pools.arms()
    if unknown := [arm for arm in wanted.arms if arm not in possible]:
        raise RecipeError(f"no arm {unknown[0]!r} from this text", hint=f"possible: {', '.join(possible)}")
    ablation = Ablation(inputs.pools, config, wanted.arms or possible, wanted.seeds, wanted.null, inputs.without)
    bench = Bench(out, passes_for(RunConfig(workers=wanted.workers)), _exam(inputs, wanted.instruments), say)
    manifest = ablate(ablation, bench, f"{out.name}@1")
    lines = [
        f"\n{fact['title']}\n\n{fact_text(fact)}" for name, fact in sorted(manifest.facts.items()) if fact_text(fact)
    ]
    return [*lines, f"\nreport  {out / 'report.html'}"]


def _given(wanted: AblationWanted) -> tuple[Inputs, StudentConfig, Path]:
    if wanted.recipe is None:
        inputs = inputs_of_files(wanted.raw, wanted.filtered, wanted.synthetic, wanted.neutral, SEED)
        return inputs, student_config(wanted.preset, wanted.change), wanted.out or Path("ablation")
    if wanted.raw or wanted.filtered or wanted.synthetic:
        raise RecipeError("give a recipe or files, not both")
    recipe = resolve(wanted.recipe, wanted.change).recipe
    if recipe.student is None:
        raise RecipeError("the recipe has no `student`", hint="add the section `student`")
    inputs = inputs_of_recipe(recipe, wanted.neutral, leave_one_out=wanted.leave_one_out)
    return inputs, recipe.student, wanted.out or Path(recipe.store) / recipe.label / "lab"


def _exam(inputs: Inputs, instruments: Sequence[str]) -> Exam:
    from trainer.evaluation.questions import open_benchmark
    from trainer.evaluation.zh_pairs import NAME, zh_pairs
    from trainer.lab.cell import Exam

    questions = {}
    for name in instruments:
        found = (NAME, zh_pairs()) if name == NAME else None
        if found is None:
            benchmark = open_benchmark(name, QUESTIONS, SEED)
            found = (benchmark.name, benchmark.questions)
        questions[found[0]] = found[1]
    return Exam(inputs.panels, questions)


def loop_lines(
    recipe: str, change: Sequence[str], rounds: int, axes: tuple[str, ...], signal: str, seeds: int,
    say: Callable[[str], None],
) -> list[str]:  # fmt: skip
    """Run the closed loop; its tables and verdict."""
    from ray_jobs.closed_loop import Loop, closed_loop
    from trainer.lab.allocation import SIGNALS

    if unknown := sorted(set(axes) - set(AXES)):
        raise RecipeError(f"--by: no axis {unknown[0]!r}", hint=f"known: {', '.join(AXES)}")
    loop = Loop(resolve(recipe, change).recipe, rounds, axes, SIGNALS[signal], seeds)
    manifest = closed_loop(loop, say)
    lines = [f"\n{fact['title']}\n\n{fact_text(fact)}" for fact in manifest.facts.values()]
    return [*lines, f"\nreport  {loop.home}/report.html"]
