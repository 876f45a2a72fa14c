"""filter score, dedup, blend, decontaminate: parts of the line on plain files, without a recipe."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ray_jobs.cli.options import say

app = typer.Typer(help="Filters on plain files.", no_args_is_help=True, rich_markup_mode=None)
Files = Annotated[
    list[str], typer.Argument(help="JSONL (gz, zst), Parquet, text, WARC, or a Hugging Face dataset name.")
]
Out = Annotated[str, typer.Option(help="Parquet file to write: a path, or a URL.")]
RULES = "gopher,repetition,c4,fineweb,chinese,language,sensitive,toxic"
Field = Annotated[str, typer.Option("--text-field", help="Column that holds the text.")]


@app.command()
def score(
    files: Files,
    out: Out,
    with_: Annotated[str, typer.Option("--with", help="Scorers, comma-separated.")] = RULES,
    profile: Annotated[
        str, typer.Option(help="prose, fineweb, code, synthetic or chinese; prose, and chinese for zh, if empty.")
    ] = "",
    classifier: Annotated[
        str | None, typer.Option(help="For the scorer `quality`: a file, `dclm`, or owner/name:file.bin@LABEL=POINTS.")
    ] = None,
    toxic: Annotated[Path | None, typer.Option(help="Classifier file for the score `toxic.classifier`.")] = None,
    languages: Annotated[str, typer.Option(help="What is kept; the first is the texts' own.")] = "en",
    workers: Annotated[int, typer.Option(min=0, help="Ray workers; 0 works in this process.")] = 0,
    text_field: Field = "text",
) -> None:
    """One row a document: id, every score, verdict and reason.

    The table says what each filter alone would remove, and what only it removes.

    Example: hornbook filter score pages.jsonl.gz --classifier quality.bin --with gopher,quality,language --out scores.parquet
    Example: hornbook filter score pages.jsonl.gz --with sensitive,toxic --toxic toxic.bin --out scores.parquet
    Example: hornbook filter score s3://bucket/zh/*.jsonl.gz --languages zh --workers 8 --out s3://bucket/scores.parquet
    """
    from ray_jobs.plain_files import score_files

    chosen = [name.strip() for name in with_.split(",")]
    kept = [name.strip() for name in languages.split(",")]
    say(score_files(files, out, chosen, profile, classifier, text_field, kept, workers, toxic))


class Unit(StrEnum):
    """What is compared."""

    document = "document"
    paragraph = "paragraph"
    line = "line"
    passage = "passage"
    meaning = "meaning"


@app.command()
def dedup(
    files: Files,
    out: Annotated[Path | None, typer.Option(help="Parquet file to write.")] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0.01, max=1, help="Similarity: .8 of words, .95 of meaning.")
    ] = None,
    unit: Annotated[
        Unit, typer.Option(help="Copies of documents, parts that many share, passages, or retellings.")
    ] = Unit.document,
    words: Annotated[int, typer.Option(min=8, help="Least words of a passage.")] = 50,
    workers: Annotated[
        int, typer.Option(min=0, help="Ray workers for documents and passages; 0 works in this process.")
    ] = 0,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Plant copies in the files and count those found.")
    ] = False,
    sample: Annotated[int, typer.Option(min=1, help="Copies planted of each class of similarity.")] = 1000,
    text_field: Field = "text",
) -> None:
    """The documents that stay when copies go.

    Of each group of copies it is the one with the smallest id. `--unit line` and `paragraph` take out what three documents
    or more share, everywhere but in one of them. `--unit passage` cuts runs of 50 words and more (`--words`) that stand
    earlier, in another document or in the same, and writes each cut to OUT.cuts.parquet. `--unit meaning` compares vectors;
    nothing is verified there.
    All but lines and paragraphs are worked on in bounded memory; after a kill the same command goes on from OUT.work.

    Example: hornbook filter dedup pages.jsonl.gz --out unique.parquet
    Example: hornbook filter dedup pages.jsonl.gz --unit line --out unique.parquet
    Example: hornbook filter dedup pages.jsonl.gz --unit passage --words 50 --out unique.parquet
    Example: hornbook filter dedup pages.jsonl.gz --self-test
    """
    from ray_jobs.dedup_files import dedup_files, self_test_files, shared_files
    from ray_jobs.passage_files import passages_files
    from ray_jobs.retelling_files import retellings_files

    if self_test:
        print("\n".join(self_test_files(files, threshold or 0.8, sample, text_field)))
    if out is None:
        if not self_test:
            raise typer.BadParameter("give --out FILE to write what stays, or --self-test to measure")
    elif unit is Unit.document:
        say(dedup_files(files, out, threshold or 0.8, text_field, workers))
    elif unit is Unit.passage:
        say(passages_files(files, out, words, text_field, workers))
    elif unit is Unit.meaning:
        say(retellings_files(files, out, threshold or 0.95, text_field))
    else:
        say(shared_files(files, out, "line" if unit is Unit.line else "paragraph", text_field))


class Order(StrEnum):
    """Orders of reading."""

    shuffled = "shuffled"
    blocked = "blocked"
    staged = "staged"
    sandwiched = "sandwiched"


@app.command()
def blend(files: Files, out: Out, tokens: Annotated[int, typer.Option(min=1, help="Token budget.")],
          weights: Annotated[str, typer.Option(help="Weights in the order of the files, comma-separated.")] = "",
          preset: Annotated[str, typer.Option(help="A paper's weights: phi-1.5, phi-1.5-web, phi-4, wrap, third-rewritten, mindllm.")] = "",
          roles: Annotated[str, typer.Option(help="Role of each file in the preset, in the order of the files.")] = "",
          order: Annotated[Order, typer.Option(help="How the files follow each other, in the order given.")] = Order.shuffled,
          replay: Annotated[float, typer.Option(min=0, max=0.5, help="Share of each later block for what came before.")] = 0.0,
          max_epochs: Annotated[float, typer.Option(min=1, help="Most often that a file may repeat.")] = 4.0,
          seed: int = 17, text_field: Field = "text") -> None:  # fmt: skip
    """A mix of files to a token budget, in reading order.

    Example: hornbook filter blend web.parquet textbooks.parquet --weights 2,1 --tokens 1000000 --out mix.parquet
    Example: hornbook filter blend web.jsonl books.jsonl --preset phi-1.5-web --roles web,synthetic --tokens 1000000 --out mix.parquet
    Example: hornbook filter blend english.jsonl chinese.jsonl --order blocked --replay 0.05 --tokens 1000000 --out mix.parquet
    """
    from filters.config import BlendConfig
    from ray_jobs.blend_files import blend_files

    if replay and order is Order.shuffled:
        raise typer.BadParameter("--replay has a meaning only where one file follows another: give --order")
    if preset and weights:
        raise typer.BadParameter("give --weights or --preset, not both")
    config = BlendConfig(tokens=tokens, preset=preset or None, order=order.value, replay=replay, max_epochs=max_epochs)
    say(blend_files(files, out, config, weights, roles, seed, text_field))


@app.command("mix-search")
def mix_search(files: Files, target: Annotated[list[str], typer.Option(help="Files of text that the student should predict well; may be given often.")],
               tokens: Annotated[int, typer.Option(min=1000, help="Tokens that each proxy reads.")] = 200_000,
               mixes: Annotated[int, typer.Option(min=8, help="Mixes to learn from; a quarter more, or six, are held out.")] = 32,
               seed: int = 17, text_field: Field = "text") -> None:  # fmt: skip
    """Weights for `blend`, by many small proxies (RegMix).

    A proxy is a model of bytes from the five before them, trained in about a second. Beside the proposal stand the mix of what
    is there and the best mix that was drawn.

    Example: hornbook filter mix-search web.jsonl books.jsonl code.jsonl --target exams.jsonl
    """
    from ray_jobs.mix_files import search_files

    print("\n".join(search_files(files, target, tokens, mixes, seed, text_field)))


@app.command()
def decontaminate(
    files: Files,
    against: Annotated[
        list[str], typer.Option(help="Benchmark: JSONL or Parquet, `humaneval`, or owner/name:config:split.")
    ],
    out: Annotated[str | None, typer.Option(help="Parquet file to write: a path, or a URL.")] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Plant leaks in the files and count those found.")
    ] = False,
    coverage: Annotated[float, typer.Option(min=0.01, max=1, help="Share of an item's words.")] = 0.5,
    code: Annotated[float, typer.Option(min=0.01, max=1, help="Similarity of functions.")] = 0.85,
    sample: Annotated[int, typer.Option(min=1, help="Leaks of a kind and benchmark.")] = 300,
    text_field: Field = "text",
) -> None:
    """The documents that hold no item of a benchmark.

    Example: hornbook filter decontaminate pages.parquet --against humaneval --against exam.jsonl --out clean.parquet
    """
    from filters.config import DecontaminateConfig
    from ray_jobs.decontaminate_files import decontaminate_files, self_test_files

    config = DecontaminateConfig(against=tuple(against), coverage=coverage, code=code)
    if out is None and not self_test:
        raise typer.BadParameter("give --out FILE to write the clean documents, or --self-test to measure")
    if self_test:
        print("\n".join(self_test_files(files, config, sample, text_field)))
    if out is not None:
        say(decontaminate_files(files, config, out, text_field))
