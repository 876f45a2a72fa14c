"""filter clean, redact, facts, judge: what is edited, what is claimed, and what a teacher thinks of a text."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ray_jobs.cli.options import say

Files = Annotated[
    list[str], typer.Argument(help="JSONL (gz, zst), Parquet, text, WARC, or a Hugging Face dataset name.")
]
Field = Annotated[str, typer.Option("--text-field", help="Column that holds the text.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the group `filter`."""
    for command in (clean, redact, facts, judge):
        app.command()(command)


def clean(
    files: Files,
    out: Annotated[str, typer.Option(help="Parquet file to write: a path, or a URL.")],
    boilerplate: Annotated[bool, typer.Option(help="Take out menus, banners, share buttons, copyright lines.")] = True,
    repeats: Annotated[bool, typer.Option(help="Take out long paragraphs that the text has said already.")] = True,
    text_field: Field = "text",
) -> None:
    """Texts mended, without menus and banners.

    The only filter that edits. What it did is in the column `clean_steps`; a second pass changes nothing.

    Example: hornbook filter clean pages.warc.gz --out clean.parquet
    """
    from filters.config import CleanConfig
    from ray_jobs.clean_files import clean_files

    say(clean_files(files, out, CleanConfig(boilerplate=boilerplate, repeats=repeats), text_field))


def redact(
    files: Files,
    out: Annotated[str, typer.Option(help="Parquet file to write: a path, or a URL.")],
    kind: Annotated[list[str] | None, typer.Option("--kind", help="Kinds to replace; all if none is named.")] = None,
    drop: Annotated[
        list[str] | None, typer.Option("--drop", help="Kinds whose documents are left out instead.")
    ] = None,
    text_field: Field = "text",
) -> None:
    """Secrets and personal data replaced by their kind.

    `<email>`, `<phone>`, `<card>` and so on stand in their place; the column `masked` counts them.

    Example: hornbook filter redact pages.jsonl.gz --out redacted.parquet
    Example: hornbook filter redact pages.jsonl.gz --kind email --kind phone --drop private_key --out redacted.parquet
    """
    from ray_jobs.redact_files import redact_files

    say(redact_files(files, out, tuple(kind or ()), tuple(drop or ()), text_field))


def facts(
    files: Files,
    out: Annotated[str | None, typer.Option(help="Parquet file to write: a path, or a URL.")] = None,
    source_field: Annotated[str, typer.Option(help="Column with the source that a text was written from.")] = "source",
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Plant wrong numbers and names in retellings of the files.")
    ] = False,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of the self-test.")] = 3,
    text_field: Field = "text",
) -> None:
    """What a text says and its source does not.

    Example: hornbook filter facts rewritten.jsonl --source-field page --out unsupported.parquet
    Example: hornbook filter facts pages.jsonl --self-test
    """
    from ray_jobs.facts_files import facts_files, self_test_facts

    if out is None and not self_test:
        raise typer.BadParameter("give --out FILE to write what is not supported, or --self-test to measure")
    if self_test:
        print("\n".join(self_test_facts(files, text_field, seeds=seeds)))
    if out is not None:
        say(facts_files(files, source_field, out, text_field))


def judge(
    files: Files,
    endpoint: Annotated[str, typer.Option(help="Base URL of the judge, OpenAI-compatible.")],
    model: Annotated[str, typer.Option(help="The endpoint's name of the judge.")],
    out: Annotated[str, typer.Option(help="Parquet file to write: a path, or a URL.")],
    rubric: Annotated[str, typer.Option(help="prose or code.")] = "prose",
    sample: Annotated[int, typer.Option(min=1, help="Documents that are judged, drawn from all.")] = 10_000,
    api_key_env: Annotated[str, typer.Option(help="Variable with the endpoint's key.")] = "",
    text_field: Field = "text",
) -> None:
    """Educational value of a sample, 0 to 5.

    The score is the mean over the judge's own probabilities. The embedded teacher cannot judge and is refused.

    Example: hornbook filter judge pages.jsonl.gz --endpoint http://127.0.0.1:8000/v1 --model qwen3-32b --out judged.parquet
    """
    from ray_jobs.judge_files import judge_files

    key = os.environ.get(api_key_env, "") if api_key_env else ""
    say(judge_files(files, out, endpoint, model, rubric, sample, key, text_field))
