"""Verbs that take something away: forget, gc."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Annotated

import typer

from ray_jobs.cli.options import JsonOption, RecipeArgument, SetOption, settings


def add_to(app: typer.Typer) -> None:
    """Put the verbs on the command."""
    for verb in (forget, gc):
        app.command()(verb)


def forget(recipe: RecipeArgument,
           documents: Annotated[list[str] | None, typer.Argument(help="Ids of documents, or their beginnings.")] = None,
           source: Annotated[str | None, typer.Option(help="All documents of this source.")] = None,
           set_: SetOption = None) -> None:  # fmt: skip
    """Take documents or a source down, everywhere in a run.

    Their copies and what was written from them go too, out of journal, stages and report. Without ids it completes a
    takedown that was interrupted.

    Example: hornbook forget demo 3f9a01c2
    """
    from ray_jobs.forget import forget as done_of
    from ray_jobs.resolve import resolve

    done = done_of(resolve(recipe, settings(set_)).recipe, documents or [], source)
    print(f"forgotten  {done.documents:,} ids, {done.slots:,} slots")
    for stage, rows in done.rows.items():
        if rows:
            print(f"  {stage:<10} {', '.join(f'{count:,} {kind}' for kind, count in sorted(rows.items()))}")
    for told in dict.fromkeys(done.unreached):
        print(f"not reached: {told}", file=sys.stderr)


def gc(recipe: RecipeArgument,
       abandoned: Annotated[list[str] | None, typer.Option(help="A run to remove whole, NAME@VERSION; may be repeated.")] = None,
       apply: Annotated[bool, typer.Option("--apply/--dry-run", help="Remove; otherwise only list.")] = False,
       set_: SetOption = None, json: JsonOption = False) -> None:  # fmt: skip
    """List, or remove, files in a store that no run needs.

    Looks at every run in the recipe's store, and never touches what a manifest names or a run that is being worked on.

    Example: hornbook gc demo --apply
    """
    from dataclasses import asdict

    import orjson

    from ray_jobs.collect import find_waste, remove
    from ray_jobs.resolve import resolve

    found = resolve(recipe, settings(set_)).recipe
    waste = find_waste(found, abandoned or [])
    if json:
        print(orjson.dumps([asdict(item) for item in waste], option=orjson.OPT_INDENT_2).decode())
    else:
        sizes, counts = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for item in waste:
            sizes[item.run, item.why] += item.bytes
            counts[item.run, item.why] += 1
        for (run, why), size in sorted(sizes.items()):
            print(f"{run:<32} {size:>14,} bytes in {counts[run, why]:,} files: {why}")
    if not apply:
        print(f"{sum(item.bytes for item in waste):,} bytes could go; --apply removes them", file=sys.stderr)
        return
    freed, busy = remove(found, waste)
    print(f"{freed:,} bytes are free", file=sys.stderr)
    for run in busy:
        print(f"{run} is being worked on and was left alone", file=sys.stderr)
