"""student sft, upscale, compress, chat, compare, publish: other ways to a student, and what becomes of one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path, typer.Option(help="Folder to write.")]
Model = Annotated[Path, typer.Argument(help="Exported student, or any model of its class.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="A setting of the student: --set optimizer.adamw_lr=1e-4")
]


def add_to(app: typer.Typer) -> None:
    """Register the verbs."""
    for verb in (sft, upscale, compress, chat, compare, publish):
        app.command()(verb)


def sft(files: Annotated[list[str], typer.Argument(help="JSONL with `messages`, or pairs such as `instruction` and `output`.")],
        init: Annotated[str, typer.Option(help="Model that is taught.")],
        out: Annotated[Path, typer.Option(help="Folder of the student.")],
        epochs: Annotated[float, typer.Option(min=0.01, help="How often each example is read.")] = 2.0,
        keep: Annotated[float, typer.Option(min=0.01, max=1.0, help="Share kept: replies neither known nor out of reach.")] = 1.0,
        change: Settings = None) -> None:  # fmt: skip
    """Teach a model to answer: the loss counts the replies alone.

    Example: hornbook student sft exercises.jsonl --init student/model --out tutor --keep 0.2
    """
    from ray_jobs.student_instructions import tune

    print(tune(files, init, out, epochs, keep, change or ()))


def upscale(source: Model, out: Out,
            width: Annotated[int, typer.Option(min=1, help="Factor of the width.")] = 2,
            depth: Annotated[int, typer.Option(min=1, help="Factor of the layers.")] = 1,
            seed: Annotated[int, typer.Option(help="Seed of how tiled weights differ.")] = 0) -> None:  # fmt: skip
    """Make a larger student that computes the same, to train on.

    Example: hornbook student upscale student/model --out larger --width 2 --depth 2
    """
    from trainer.upscale import upscale as make

    print(make(source, out, width=width, depth=depth, seed=seed))


def compress(source: Model, out: Out,
             how: Annotated[str, typer.Option(help="int8, int8-all, int4, gguf-q8, gguf-q4, prune-layers, prune-ff, prune-heads, low-rank, share-layers or bf16.")],
             amount: Annotated[float, typer.Option(help="Share that is kept, or layers that share one.")] = 0.5,
             text: Annotated[list[str] | None, typer.Option(help="Text to prune by, to heal with, and to measure on.")] = None,
             heal: Annotated[int, typer.Option(min=0, help="Tokens of it to train on afterwards; a tenth is kept to measure on.")] = 0) -> None:  # fmt: skip
    """Make a student smaller, and tell bytes and loss as JSON.

    Example: hornbook student compress student/model --out small --how int8 --text held-out.jsonl
    Example: hornbook student compress student/model --out small --how share-layers --amount 2 --text books.jsonl --heal 500000
    """
    from ray_jobs.student_shapes import compress_files

    print(compress_files(source, out, how, amount, text or (), heal))


def chat(model: Model,
         temperature: Annotated[float, typer.Option(min=0, help="0 takes the likeliest word.")] = 0.7,
         tokens: Annotated[int, typer.Option(min=1, help="Longest answer.")] = 200,
         system: Annotated[str, typer.Option(help="What a taught student is told first.")] = "",
         seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 0) -> None:  # fmt: skip
    """Talk with a student; an empty line begins anew.

    Example: hornbook student chat tutor/model --temperature 0
    """
    from ray_jobs.student_chat import talk

    talk(model, temperature, tokens, system, seed, sys.stdin, sys.stdout)


def compare(students: Annotated[list[Path], typer.Argument(help="Exported or compressed students.")],
            teacher: Annotated[str, typer.Option(help="`embedded`, or a folder with weights; left out if not given.")] = "",
            text: Annotated[list[str] | None, typer.Option(help="Text to measure the loss on.")] = None,
            as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:  # fmt: skip
    """Bytes, memory, first-token time and pace, beside the teacher.

    Example: hornbook student compare student/model small --teacher embedded
    """
    from ray_jobs.student_table import compared, rendered

    rows = compared(students, teacher, text or ())
    print(rendered(rows, as_json))


def publish(student: Annotated[Path, typer.Argument(help="Folder of a trained student.")],
            to: Annotated[Path | None, typer.Option(help="Folder to write.")] = None,
            repo: Annotated[str, typer.Option(help="Repository of the Hub, as owner/name.")] = "",
            model: Annotated[Path | None, typer.Option(help="A compressed form to publish in its place.")] = None,
            run: Annotated[str, typer.Option(help="Recipe of the run whose data it read.")] = "",
            scores: Annotated[Path | None, typer.Option(help="JSON of `hornbook student evaluate`.")] = None,
            licence: Annotated[str, typer.Option(help="Licence of the weights, as an SPDX id.")] = "unknown") -> None:  # fmt: skip
    """Publish a student with a card of its data and its scores.

    Example: hornbook student publish student --repo me/tiny-tutor --run my.yaml --scores scores.json --licence Apache-2.0
    """
    from ray_jobs.student_publishing import publish_student

    print(publish_student(student, to, repo, model, run, scores, licence))
