"""lab ablate, mix, loop: is it the data? Experiments with controls and intervals."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ray_jobs.cli.options import RecipeArgument, SetOption, say

app = typer.Typer(help="Experiments on data, with controls.", no_args_is_help=True, rich_markup_mode=None)


class Weak(StrEnum):
    """Signals of weakness."""

    loss = "loss"
    uncertainty = "uncertainty"
    disagreement = "disagreement"


Raw = Annotated[list[str], typer.Option(help="Without a recipe: files of raw text.")]
Filtered = Annotated[list[str], typer.Option(help="Without a recipe: what a filter kept of it.")]
Synthetic = Annotated[list[str], typer.Option(help="Without a recipe: what a teacher wrote.")]


@app.command()
def ablate(recipe: Annotated[str | None, typer.Argument(help="Recipe with sources and a student; or give files.")] = None,
           raw: Raw = [], filtered: Filtered = [], synthetic: Synthetic = [],  # noqa: B006
           neutral: Annotated[list[str], typer.Option(help="Held-out text that is neither web nor curated.")] = [],  # noqa: B006
           instruments: Annotated[list[str], typer.Option("--with", help="Benchmarks to score too, or zh-pairs.")] = [],  # noqa: B006
           arms: Annotated[str, typer.Option(help="Arms, comma-separated; all that the text can make when left out.")] = "",
           seeds: Annotated[int, typer.Option(min=1, help="Paired runs of each arm.")] = 3,
           null: Annotated[int, typer.Option(min=0, help="Runs of the null control; 12 tell something.")] = 0,
           leave_one_out: Annotated[bool, typer.Option(help="One more arm for each filter, without it.")] = False,
           preset: Annotated[str, typer.Option(help="Without a recipe: the student.")] = "tiny",
           out: Annotated[Path | None, typer.Option(help="Folder of the experiment.")] = None,
           workers: Annotated[int, typer.Option(min=0, help="Ray workers; 0 runs one student at a time.")] = 0,
           change: SetOption = None) -> None:  # fmt: skip
    """Is it the data? Arms at equal tokens, with controls and intervals.

    The same command goes on where it stopped, student by student.

    Example: hornbook lab ablate demo --seeds 3 --null 12 --neutral wiki.jsonl --out ablation
    """
    from ray_jobs.lab_verbs import AblationWanted, ablate_lines

    wanted = AblationWanted(recipe, tuple(raw), tuple(filtered), tuple(synthetic), tuple(neutral), _names(instruments),
                            tuple(name.strip() for name in arms.split(",") if name.strip()), seeds, null, leave_one_out,
                            preset, out, workers, tuple(change or ()))  # fmt: skip
    print("\n".join(ablate_lines(wanted, lambda line: say([line]))))


@app.command()
def loop(recipe: RecipeArgument, rounds: Annotated[int, typer.Option(min=1, help="Rounds after the first.")] = 2,
         by: Annotated[str, typer.Option(help="Axes of the budget: domain, topic, form, audience, style, language.")] = "domain",
         signal: Annotated[Weak, typer.Option(help="What counts as weak.")] = Weak.loss,
         seeds: Annotated[int, typer.Option(min=1, help="Students of each line.")] = 3, change: SetOption = None) -> None:  # fmt: skip
    """Let the student's weakness decide what the teacher writes next.

    Beside it runs an even budget of as many teacher tokens. The same command goes on where it stopped.

    Example: hornbook lab loop demo --rounds 2 --by domain,form
    """
    from ray_jobs.lab_verbs import loop_lines

    axes = tuple(name.strip() for name in by.split(","))
    print(
        "\n".join(loop_lines(recipe, tuple(change or ()), rounds, axes, signal.value, seeds, lambda line: say([line])))
    )


@app.command()
def mix(part: Annotated[list[str], typer.Option(help="A part of the blend: NAME=FILE, as often as there are parts.")],
        target: Annotated[list[str], typer.Option(help="Held-out text that the mix is to suit.")],
        mixes: Annotated[int, typer.Option(min=8, help="Mixes to learn from.")] = 24,
        held_out: Annotated[int, typer.Option(min=3, help="Mixes to check the regression on.")] = 8,
        preset: Annotated[str, typer.Option(help="The proxy student.")] = "tiny",
        out: Annotated[Path, typer.Option(help="Folder of the search.")] = Path("mix-search"),
        workers: Annotated[int, typer.Option(min=0, help="Ray workers; 0 runs one student at a time.")] = 0,
        change: SetOption = None) -> None:  # fmt: skip
    """Search the weights of a blend with small students.

    Draws mixes, learns loss from weights, trains what it proposes, and says whether that beats a draw. A search over one
    target says nothing about another: hold the proposal against it with `lab ablate`.

    Example: hornbook lab mix --part web=web.jsonl --part books=books.jsonl --target held-out.jsonl --set tokens=100000
    """
    from ray_jobs.mix_students import MixWanted, mix_lines
    from ray_jobs.student_config import student_config

    parts: dict[str, list[str]] = {}
    for name, _, file in (item.partition("=") for item in part):
        parts.setdefault(name, []).append(file)
    wanted = MixWanted(parts, target, student_config(preset, change or ()), mixes, held_out, out, workers)
    print("\n".join(mix_lines(wanted, lambda line: say([line]))))


def _names(given: list[str]) -> tuple[str, ...]:
    return tuple(name for item in given for name in item.split(",") if name)
