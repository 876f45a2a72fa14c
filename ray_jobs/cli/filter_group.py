"""filter score, filter dedup, filter blend: parts of the line on plain files, without a recipe."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Filters on plain files.", no_args_is_help=True, rich_markup_mode=None)
Files = Annotated[
    list[str], typer.Argument(help="JSONL (gz, zst), Parquet, text, WARC, or a Hugging Face dataset name.")
]
Out = Annotated[Path, typer.Option(help="Parquet file to write.")]
Field = Annotated[str, typer.Option("--text-field", help="Column that holds the text.")]


@app.command()
def score(files: Files, out: Out, with_: Annotated[str, typer.Option("--with", help="Scorers, comma-separated.")] = "gopher,language,sensitive",
          profile: Annotated[str, typer.Option(help="prose, code or synthetic.")] = "prose",
          classifier: Annotated[Path | None, typer.Option(help="fastText file for the scorer `quality`.")] = None,
          text_field: Field = "text") -> None:  # fmt: skip
    """One row a document: id, every score, verdict and reason.

    Example: hornbook filter score pages.jsonl.gz --with gopher,quality,language --classifier quality.bin --out scores.parquet
    """
    from ray_jobs.plain_files import score_files

    _say(score_files(files, out, with_.split(","), profile, classifier, text_field))


@app.command()
def dedup(
    files: Files, out: Out, threshold: Annotated[float, typer.Option(min=0.01, max=1)] = 0.8, text_field: Field = "text"
) -> None:
    """The documents that stay when copies go.

    Of each group of copies it is the one with the smallest id.

    Example: hornbook filter dedup pages.jsonl.gz --out unique.parquet
    """
    from ray_jobs.plain_files import dedup_files

    _say(dedup_files(files, out, threshold, text_field))


@app.command()
def blend(files: Files, out: Out, tokens: Annotated[int, typer.Option(min=1, help="Token budget.")],
          weights: Annotated[str, typer.Option(help="Weights in the order of the files, comma-separated.")] = "",
          seed: int = 17, text_field: Field = "text") -> None:  # fmt: skip
    """A mix of files to a token budget, in reading order.

    Example: hornbook filter blend web.parquet textbooks.parquet --weights 2,1 --tokens 1000000 --out mix.parquet
    """
    from ray_jobs.plain_files import blend_files

    _say(blend_files(files, out, tokens, weights, seed, text_field))


def _say(lines: list[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)
