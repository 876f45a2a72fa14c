"""filter classifier train, evaluate."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ray_jobs.cli.options import say

if TYPE_CHECKING:
    from filters.folds import Examples

app = typer.Typer(help="A classifier for what teaches.", no_args_is_help=True, rich_markup_mode=None)


class Kind(StrEnum):
    """Kinds of classifiers."""

    words = "words"
    fasttext = "fasttext"
    linear = "linear"
    forest = "forest"


Teaches = Annotated[list[str], typer.Option("--teaches", help="Files of texts that teach; may be given often.")]
Others = Annotated[list[str], typer.Option("--other", help="Files of other texts; may be given often.")]
Labels = Annotated[str | None, typer.Option(help="Points of `hornbook filter judge`, for the files of --teaches.")]
Points = Annotated[float, typer.Option(help="Points from which a judged text teaches.")]
KindOption = Annotated[Kind, typer.Option(help="Words, fastText, or a linear head or a random forest on an embedding.")]
Embedding = Annotated[
    str, typer.Option(help="Folder of a sentence encoder, or `minilm` where its package is installed.")
]
Source = Annotated[
    str, typer.Option("--source-field", help="Column that tells sources apart; the file's name if empty.")
]
Field = Annotated[str, typer.Option("--text-field", help="Column that holds the text.")]
Tune = Annotated[
    int, typer.Option(min=0, help="Seconds in which fastText looks for its own options; not the same twice.")
]
Seed = Annotated[int, typer.Option(help="Seed of every draw.")]


@app.command()
def train(out: Annotated[str, typer.Option(help="File, or folder of a head, to write: a path, or a URL.")], teaches: Teaches, other: Others = [],  # noqa: B006
          judged: Labels = None, points: Points = 3.0, kind: KindOption = Kind.words, embedding: Embedding = "minilm",
          source_field: Source = "", text_field: Field = "text", seed: Seed = 17, tune: Tune = 0) -> None:  # fmt: skip
    """Learn what teaches, from two kinds of text or from points.

    Example: hornbook filter classifier train --teaches books.jsonl --other web.jsonl --out quality.bin
    Example: hornbook filter classifier train --teaches pages.jsonl --judged judged.parquet --points 3 --kind forest --out quality
    """
    from ray_jobs.classifier_files import train_files

    examples, lost = _examples(teaches, other, judged, points, text_field, source_field)
    say([*train_files(examples, kind.value, out, embedding, seed, tune), *lost])


@app.command()
def evaluate(teaches: Teaches, other: Others = [], judged: Labels = None, points: Points = 3.0,  # noqa: B006
             kind: KindOption = Kind.words, embedding: Embedding = "minilm", source_field: Source = "", text_field: Field = "text",
             seed: Seed = 17, tune: Tune = 0) -> None:  # fmt: skip
    """How well it does on sources that it has never seen.

    Each teaching source is left out in its turn, with a share of the other sources. The same is done with shuffled labels.

    Example: hornbook filter classifier evaluate --teaches books.jsonl --other web.jsonl --source-field source
    """
    from ray_jobs.classifier_files import evaluate_files

    examples, lost = _examples(teaches, other, judged, points, text_field, source_field)
    print("\n".join(evaluate_files(examples, kind.value, embedding, seed, tune)))
    say(lost)


@app.command()
def check(files: Annotated[list[str], typer.Argument(help="Files of texts with labels.")],
          classifier: Annotated[str, typer.Option(help="A file, `dclm`, or owner/name:file.bin@LABEL=POINTS.")],
          teaches: Annotated[list[str], typer.Option("--teaches", help="Labels of what teaches; may be given often.")],
          label_field: Annotated[str, typer.Option(help="Column with the label.")] = "label", text_field: Field = "text") -> None:  # fmt: skip
    """How a classifier does on texts that people have labelled.

    Example: hornbook filter classifier check labelled.jsonl --classifier quality.bin --label-field label --teaches 1
    """
    from ray_jobs.classifier_files import check_files

    print("\n".join(check_files(files, classifier, text_field, label_field, teaches)))


def _examples(
    teaches: list[str], other: list[str], points_file: str | None, points: float, field: str, source: str
) -> tuple[Examples, list[str]]:
    from ray_jobs.classifier_files import contrast, judged

    if points_file is not None:
        return judged([*teaches, *other], points_file, points, field, source or None)
    if not other:
        raise typer.BadParameter("give --other FILES, or --judged FILE with points for the files of --teaches")
    return contrast(teaches, other, field, source or None)
