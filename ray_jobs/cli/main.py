"""`hornbook`: data on stdout, talk on stderr, and an exit code that says what happened."""

from __future__ import annotations

import sys

import typer

from corpus.errors import HornbookError
from ray_jobs.cli import (
    cluster,
    examples,
    filter_classifier,
    filter_group,
    filter_redundancy,
    filter_text,
    lab,
    passport,
    recipe_group,
    student,
    student_forms,
    teacher,
    tools,
    upkeep,
)

EPILOG = "Exit codes: 0 complete · 2 recipe or usage · 3 environment · 4 yield or cap · 5 incomplete · 6 state · 130 interrupted"

app = typer.Typer(
    name="hornbook", no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich costs 0.25 s of every start (measured), and help is plain text
    help="Makes the data that lets a small model punch above its size.", epilog=EPILOG,
)  # fmt: skip
recipe_group.add_to(app)
passport.add_to(app)
upkeep.add_to(app)
tools.add_to(app)
filter_text.add_to(filter_group.app)
filter_group.app.add_typer(filter_classifier.app, name="classifier")
filter_group.app.add_typer(filter_redundancy.app, name="redundancy")
app.add_typer(teacher.app, name="teacher")
app.add_typer(filter_group.app, name="filter")
student_forms.add_to(student.app)
app.add_typer(student.app, name="student")
app.add_typer(lab.app, name="lab")
app.add_typer(cluster.app, name="cluster")
examples.set_apart(app)


def main() -> None:
    """Entry point: named failures become one clear message and their exit code."""
    try:
        app(standalone_mode=True)
    except HornbookError as error:
        _complain(error)
        sys.exit(error.exit_code)


def _complain(error: HornbookError) -> None:
    print(f"error: {error}", file=sys.stderr)
    if error.hint:
        print(f"hint: {error.hint}", file=sys.stderr)
    again = "; the same command goes on from here" if error.exit_code in (4, 5) else ""
    print(f"exit {error.exit_code}{again}", file=sys.stderr)


if __name__ == "__main__":
    main()
