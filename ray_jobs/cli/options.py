"""Options that several verbs share."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated

import typer

RecipeArgument = Annotated[str, typer.Argument(help="Recipe file, or the name of a shipped recipe such as `demo`.")]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="Override a value: --set student.tokens=200000")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
AddressOption = Annotated[
    str | None, typer.Option("--address", help="Address of a Ray cluster; a local one otherwise.")
]


def settings(given: list[str] | None, address: str | None = None) -> list[str]:
    """`--set` values, with `--address` as one more."""
    return [*(given or []), *([f"run.address={address}"] if address else [])]


def say(lines: Iterable[str]) -> None:
    """Talk, on stderr: stdout is for data."""
    for line in lines:
        print(line, file=sys.stderr)
