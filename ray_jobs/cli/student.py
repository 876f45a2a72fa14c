"""student train, evaluate, export: the student on plain files, without a recipe."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ray_jobs.cli.options import say

app = typer.Typer(help="Train and measure small models.", no_args_is_help=True, rich_markup_mode=None)
Files = Annotated[list[str], typer.Argument(help="Text to read: JSONL, Parquet, text, or a dataset name.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="A setting of the student: --set model.layers=8")]


@app.command()
def train(files: Files, out: Annotated[Path, typer.Option(help="Folder of the student.")],
          preset: Annotated[str, typer.Option(help="tiny, small or base.")] = "tiny",
          tokens: Annotated[int | None, typer.Option(min=1, help="Training tokens.")] = None,
          init: Annotated[str | None, typer.Option(help="Model whose weights training goes on from.")] = None,
          workers: Annotated[int | None, typer.Option(min=1, help="Processes that share each step.")] = None,
          watch: Annotated[list[str], typer.Option(help="Held-out text measured on the way: NAME=FILE, as often as you like.")] = [],  # noqa: B006
          change: Settings = None) -> None:  # fmt: skip
    """Train a student; the same command goes on where it stopped.

    Example: hornbook student train textbooks.parquet --out student --preset tiny --tokens 500000
    Example: hornbook student train law.jsonl --out lawyer --init student/model --set optimizer.kind=adamw --set optimizer.adamw_lr=3e-4
    """
    from ray_jobs.student_config import student_config
    from ray_jobs.student_files import train_files

    given = {"tokens": tokens, "init": init, "workers": workers, "watch": _by_name(watch) or None}
    print(train_files(files, out, student_config(preset, change or (), **given)))


def _by_name(panels: list[str]) -> dict[str, list[str]]:
    """Files by panel, of `NAME=FILE`; without a name it is the file's."""
    found: dict[str, list[str]] = {}
    for item in panels:
        name, equals, file = item.partition("=")
        found.setdefault(name if equals else Path(item).name, []).append(file if equals else item)
    return found


@app.command()
def distil(files: Files, out: Annotated[Path, typer.Option(help="Folder of the student.")],
           teacher: Annotated[str, typer.Option(help="`embedded`, or a folder: its tokenizer, and its weights for `full`.")],
           labels: Annotated[list[Path] | None, typer.Option(help="File of `hornbook teacher label`.")] = None,
           targets: Annotated[str | None, typer.Option(help="topk, tail, sampled, unbiased or full.")] = None,
           alpha: Annotated[float | None, typer.Option(help="Share of the divergence in the loss.")] = None,
           preset: Annotated[str, typer.Option(help="tiny, small or base.")] = "tiny",
           tokens: Annotated[int | None, typer.Option(min=1, help="Training tokens.")] = None,
           change: Settings = None) -> None:  # fmt: skip
    """Train a student on a teacher's soft labels and in its tokens.

    Example: hornbook student distil pages.jsonl --labels labels.parquet --teacher embedded --targets sampled --out student
    """
    from ray_jobs.student_config import student_config
    from ray_jobs.student_files import train_files

    given = {"teacher": teacher, "targets": targets, "alpha": alpha}
    settings = [f"distil.{name}={value}" for name, value in given.items() if value is not None]
    start = ["tokenizer=teacher-trimmed", *settings, *(change or ())]
    print(train_files(files, out, student_config(preset, start, tokens=tokens), labels or ()))


@app.command()
def evaluate(model: Annotated[Path, typer.Argument(help="Exported student, or any causal model in that layout.")],
             files: Annotated[list[str], typer.Argument(help="Held-out text, measured as one panel.")] = [],  # noqa: B006
             panel: Annotated[list[str], typer.Option(help="One more panel: NAME=FILE, as often as you like.")] = [],  # noqa: B006
             instruments: Annotated[list[str], typer.Option("--with", help="cloze, zh-pairs, samples, lm-eval:TASK, or benchmarks: files or names.")] = [],  # noqa: B006
             trained_on: Annotated[list[str], typer.Option(help="What the student read: items found there are counted.")] = [],  # noqa: B006
             limit: Annotated[int | None, typer.Option(min=1, help="Items of each benchmark, drawn by the seed.")] = None,
             attempts: Annotated[int, typer.Option(min=1, help="Programs written for each problem.")] = 1,
             seed: Annotated[int, typer.Option(help="Seed of every draw.")] = 17) -> None:  # fmt: skip
    """Bits per byte, benchmarks and samples of a student, as JSON.

    Example: hornbook student evaluate student/model held-out.jsonl --with blimp.jsonl,humaneval.jsonl,samples
    """
    import orjson

    from ray_jobs.student_evaluation import Wanted, evaluate_files

    panels = {"held-out": list(files)} if files else {}
    for name, more in _by_name(panel).items():
        panels[name] = [*panels.get(name, []), *more]
    names = [name for item in instruments for name in item.split(",") if name]
    wanted = Wanted(panels, names, trained_on, limit, attempts, seed)
    print(orjson.dumps(evaluate_files(model, wanted, lambda line: say([line])), option=orjson.OPT_INDENT_2).decode())


@app.command()
def export(student: Annotated[Path, typer.Argument(help="Folder of a trained student.")],
           out: Annotated[Path, typer.Option(help="Folder to write.")],
           form: Annotated[str, typer.Option("--format", help="transformers (vLLM reads it too), or onnx for small devices.")] = "transformers") -> None:  # fmt: skip
    """Copy a finished student for transformers and vLLM, or as ONNX.

    Example: hornbook student export student --out my-model
    Example: hornbook student export student --out for-devices --format onnx
    """
    from ray_jobs.student_files import export_student

    print(export_student(student, out, form), file=sys.stdout)
