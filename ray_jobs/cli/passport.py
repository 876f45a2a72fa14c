"""Verbs that ask where a row came from: explain, replay, diff."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ray_jobs.cli.options import JsonOption, RecipeArgument, SetOption, settings


def add_to(app: typer.Typer) -> None:
    """Put the verbs on the command."""
    for verb in (explain, replay, diff):
        app.command()(verb)


def explain(recipe: RecipeArgument, document: Annotated[str, typer.Argument(help="Document id, or its beginning.")],
            set_: SetOption = None, json: JsonOption = False) -> None:  # fmt: skip
    """Show where a document came from, kept or rejected.

    Prompt, reply, every verdict and number.

    Example: hornbook explain demo 3f9a
    """
    import orjson

    from ray_jobs.explain import explain as found_of
    from ray_jobs.explain import lines
    from ray_jobs.resolve import resolve

    found = found_of(resolve(recipe, settings(set_)).recipe, document)
    if json:
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    for line in lines(found):
        print(line)


def replay(recipe: RecipeArgument, set_: SetOption = None) -> None:
    """Make the dataset again from stored replies and compare.

    No teacher is asked; exit 6 when the hashes differ.

    Example: hornbook replay demo
    """
    from ray_jobs.replay import replay as stages_of
    from ray_jobs.resolve import resolve

    different = 0
    for made in stages_of(resolve(recipe, settings(set_)).recipe):
        print(
            f"{made.stage:<10} {made.documents:>9,} documents  {made.now}  {'same' if made.same else f'was {made.committed}'}"
        )
        different += not made.same
    if different:
        print(f"{different} stages differ from what was committed", file=sys.stderr)
        raise typer.Exit(6)


def diff(before: RecipeArgument, after: RecipeArgument,
         set_before: Annotated[list[str] | None, typer.Option("--set-before", help="Override a value of the first.")] = None,
         set_after: Annotated[list[str] | None, typer.Option("--set-after", help="Override a value of the second.")] = None,
         json: JsonOption = False) -> None:  # fmt: skip
    """Compare two runs, in recipe and in documents.

    What was told differently, and which documents came and went.

    Example: hornbook diff demo demo --set-after version=2
    """
    import orjson

    from ray_jobs.compare import compare
    from ray_jobs.resolve import resolve

    found = compare(resolve(before, settings(set_before)).recipe, resolve(after, settings(set_after)).recipe)
    if json:
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    for stage, told in found["config"].items():
        print(f"{stage}\n" + "\n".join(f"  {line}" for line in told))
    documents = found["documents"]
    print(f"documents  {documents['before']:,} → {documents['after']:,}; another text {documents['another text']:,}")
    for side in ("only before", "only after"):
        told = ", ".join(f"{source} {count:,}" for source, count in documents[side].items()) or "none"
        print(f"  {side:<12} {told}")
    for name, (first, second) in found["reasons"].items():
        print(f"  {name:<28} {first:>8,} → {second:,}")
    print("the same dataset" if found["same"] else "not the same dataset")
