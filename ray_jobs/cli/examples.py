"""Examples in the help of commands, one a line as they are typed: click would join them to a paragraph."""

from __future__ import annotations

import inspect

import typer

MARK = "Example: "
AS_IT_STANDS = "\b"  # click leaves the lines of such a paragraph alone


def set_apart(app: typer.Typer) -> None:
    """Rewrite the help of all commands of an app and of its groups."""
    for command in app.registered_commands:
        if command.callback is not None:
            command.help = apart(command.help or inspect.getdoc(command.callback) or "")
    for group in app.registered_groups:
        if group.typer_instance is not None:
            set_apart(group.typer_instance)


def apart(text: str) -> str:
    """The text, its lines that begin with `Example: ` together at its end."""
    lines = text.split("\n")
    told = [line.removeprefix(MARK) for line in lines if line.startswith(MARK)]
    rest = "\n".join(line for line in lines if not line.startswith(MARK)).rstrip()
    if not told:
        return rest
    heading = "Example:" if len(told) == 1 else "Examples:"
    return "\n".join([rest, "", AS_IT_STANDS, heading, *(f"  {line}" for line in told)])
