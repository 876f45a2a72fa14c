"""doctor and schema."""

from __future__ import annotations

import sys

import typer

from ray_jobs.cli.options import JsonOption


def add_to(app: typer.Typer) -> None:
    """Put the verbs on the command."""
    app.command()(doctor)
    app.command()(schema)


def doctor(json: JsonOption = False) -> None:
    """Check this machine for what could keep a run from working.

    Packages, the embedded teacher, memory, disk, Ray's ports, shadowed modules.

    Example: hornbook doctor
    """
    from ray_jobs.doctor import examine

    findings = examine()
    if json:
        import orjson

        print(orjson.dumps([vars(item) for item in findings], option=orjson.OPT_INDENT_2).decode())
    else:
        for item in findings:
            print(f"{'ok  ' if item.good else 'FAIL' if item.needed else 'note'}  {item.what:<18} {item.found}")
    if any(item.needed and not item.good for item in findings):
        print("exit 3", file=sys.stderr)
        raise typer.Exit(3)


def schema() -> None:
    """Print the JSON schema of recipes, for editors.

    Example: hornbook schema > recipe.schema.json
    """
    from ray_jobs.shipped import schema_text

    print(schema_text(), end="")
