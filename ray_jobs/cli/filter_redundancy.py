"""filter redundancy measure, prune, grow."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ray_jobs.cli.options import say

app = typer.Typer(help="How much of a corpus says what the rest says.", no_args_is_help=True, rich_markup_mode=None)

Files = Annotated[list[str], typer.Argument(help="JSONL (gz, zst), Parquet, text, or a Hugging Face dataset name.")]
Scores = Annotated[str, typer.Option(help="Parquet file with `id` and a number for each document: a path, or a URL.")]
Column = Annotated[str, typer.Option(help="Column with the number that a model has to predict.")]
Out = Annotated[str, typer.Option(help="Parquet file of ids to write: a path, or a URL.")]
Field = Annotated[str, typer.Option("--text-field", help="Column that holds the text.")]
Size = Annotated[int, typer.Option(min=2, help="Dimensions of the vectors that the number is predicted from.")]
Seed = Annotated[int, typer.Option(help="Seed of every draw.")]


class Family(StrEnum):
    """Families of regressors."""

    forest = "forest"
    extra = "extra"
    boosted = "boosted"


class By(StrEnum):
    """Ways to choose."""

    predicted = "predicted"
    low = "low"
    middle = "middle"
    high = "high"
    spread = "spread"


class Score(StrEnum):
    """Numbers by which a corpus is pruned."""

    loss = "loss"
    copies = "copies"
    prototype = "prototype"


class Doubt(StrEnum):
    """Ways to be unsure."""

    committee = "committee"
    forest = "forest"
    random = "random"


@app.command("score")
def score_(files: Files, out: Out, by: Annotated[Score, typer.Option(help="Bits per byte of a reference, likeness, or distance from a centre.")] = Score.loss,
           embedding: Annotated[str, typer.Option(help="For prototype: a folder with a sentence encoder; words if empty.")] = "",
           reference: Annotated[Path | None, typer.Option(help="For loss: a trained student that has not read these files.")] = None,
           seed: Seed = 17, text_field: Field = "text") -> None:  # fmt: skip
    """A number for each document, to prune by.

    Without `--reference`, `loss` is by a model of bytes that learned from the other half of the files.

    Example: hornbook filter redundancy score pages.jsonl --by loss --out scores.parquet
    """
    from ray_jobs.redundancy_files import score_files

    say(score_files(files, out, by.value, embedding, reference, seed, text_field))


@app.command("measure")
def measure_(files: Files, scores: Scores, column: Column = "score", guide: Family = Family.extra, transfer: Family = Family.forest,
             outside: Annotated[list[str], typer.Option(help="Files from elsewhere, with numbers in the same file.")] = [],  # noqa: B006
             dimensions: Size = 64, seed: Seed = 17, text_field: Field = "text") -> None:  # fmt: skip
    """What share can go without a loss that shows.

    Beside every chosen part stand a random part of its size, a second family of models, what was left out, and files from
    elsewhere. Says so where nothing can go.

    Example: hornbook filter redundancy measure pages.jsonl --scores judged.parquet --column score
    """
    from ray_jobs.redundancy_files import load, measure_files

    data = load(files, scores, column, text_field, dimensions)
    other = load(outside, scores, column, text_field, dimensions) if outside else None
    print("\n".join(measure_files(data, guide.value, transfer.value, other, seed)))


@app.command()
def prune(files: Files, scores: Scores, out: Out, keep: Annotated[float, typer.Option(min=0.01, max=1, help="Share that stays.")],
          by: By = By.predicted, column: Column = "score", dimensions: Size = 64, seed: Seed = 17,
          text_field: Field = "text") -> None:  # fmt: skip
    """The ids that stay when a share goes.

    Example: hornbook filter redundancy prune pages.jsonl --scores judged.parquet --keep 0.3 --out kept.parquet
    """
    from ray_jobs.redundancy_files import load, prune_files

    say(prune_files(load(files, scores, column, text_field, dimensions), out, keep, by.value, seed))


@app.command()
def grow(files: Files, scores: Scores, out: Out, until: Annotated[float, typer.Option(min=0.01, max=1, help="Share to reach.")] = 0.5,
         doubt: Doubt = Doubt.committee, column: Column = "score", dimensions: Size = 64, seed: Seed = 17,
         text_field: Field = "text") -> None:  # fmt: skip
    """The ids in the order in which they are worth adding.

    Example: hornbook filter redundancy grow pages.jsonl --scores judged.parquet --until 0.5 --out order.parquet
    """
    from ray_jobs.redundancy_files import grow_files, load

    say(grow_files(load(files, scores, column, text_field, dimensions), out, until, doubt.value, seed))
