"""Verbs over a recipe: new, validate, plan, preview, generate, run, status, show, report, publish."""

from __future__ import annotations

import sys
from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from corpus.errors import RecipeError
from ray_jobs.cli.options import AddressOption, JsonOption, RecipeArgument, SetOption, settings


def add_to(app: typer.Typer) -> None:
    """Put the verbs on the command."""
    for verb in (new, validate, plan, preview, generate, run, status, show, report, publish, verify):
        app.command()(verb)


def new(path: Annotated[Path, typer.Argument(help="File to write; its stem becomes the recipe's name.")] = Path("recipe.yaml"),
        topic: Annotated[str | None, typer.Argument(help="After the word `domain`: the field of a new domain file.")] = None,
        from_: Annotated[str, typer.Option("--from", help="Shipped recipe or file to start from.")] = "demo",
        language: Annotated[str, typer.Option(help="Language of a domain file.")] = "en",
        recipe: Annotated[str | None, typer.Option(help="Recipe whose teacher drafts the domain.")] = None) -> None:  # fmt: skip
    """Write a recipe, or a domain file, to start from.

    The JSON schema lies beside a recipe, so that editors know every key. `hornbook new domain TOPIC` writes the file of
    a new domain, which a person or the teacher of --recipe fills.

    Example: hornbook new my.yaml --from phi15-textbooks
    """
    from ray_jobs.new_domain import new_domain
    from ray_jobs.resolve import resolve
    from ray_jobs.shipped import write_recipe

    if topic is None:
        print(write_recipe(path, from_))
        return
    if str(path) != "domain":
        raise RecipeError(f"new {path}: a topic goes with `domain`", hint=f'hornbook new domain "{topic}"')
    written, grown = new_domain(topic, language, "prose", resolve(recipe, []).recipe.teacher if recipe else None)
    for item in grown.refused if grown else []:
        print(f"left out ({item.reason}): {item.line}", file=sys.stderr)
    print(written)


def validate(recipe: RecipeArgument, set_: SetOption = None, json: JsonOption = False) -> None:
    """Check a recipe without running anything.

    Example: hornbook validate my.yaml --set student.tokens=200000
    """
    from ray_jobs.resolve import resolve

    resolved = resolve(recipe, settings(set_))
    if json:
        print(resolved.recipe.model_dump_json(indent=2))
        return
    print(f"{resolved.file}: a valid recipe for {resolved.recipe.label}")
    for key, origin in sorted(resolved.origins.items()):
        if not origin.startswith(resolved.file):
            print(f"  {key} from {origin}")


def plan(recipe: RecipeArgument,
         pilot: Annotated[int | None, typer.Option(min=2, help="Ask so many slots now, and forecast the rest from them.")] = None,
         set_: SetOption = None, json: JsonOption = False, address: AddressOption = None) -> None:  # fmt: skip
    """Show what a run would do, and what is done already.

    Slots by cell, requests and tokens at most, and where each value of the recipe came from. With --pilot the teacher
    writes a share of every kind of slot, which the run takes over, and tokens, hours, money and disk are forecast.

    Example: hornbook plan demo --pilot 64
    """
    from ray_jobs.cli.overview import plan_of, print_plan

    given = settings(set_, address)
    if pilot is None:
        return print_plan(plan_of(recipe, given), as_json=json)
    _pilot(recipe, given, pilot, as_json=json)
    return None


def _pilot(recipe: str, given: list[str], count: int, *, as_json: bool) -> None:
    from dataclasses import asdict

    import orjson

    from ray_jobs.forecast import lines
    from ray_jobs.pilot import run_pilot
    from ray_jobs.resolve import resolve

    try:
        found = run_pilot(resolve(recipe, given).recipe, count)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here (exit 130)", file=sys.stderr)
        raise typer.Exit(130) from None
    if as_json:
        return print(orjson.dumps(asdict(found), option=orjson.OPT_INDENT_2).decode())
    for name, told in lines(found):
        print(f"{name:<22} {told}")
    return None


def preview(recipe: RecipeArgument, n: Annotated[int, typer.Option("-n", min=1, help="Rows to show.")] = 1,
            compare: Annotated[list[str] | None, typer.Option(help="Form to compare with the others named, on the same slots.")] = None,
            set_: SetOption = None, json: JsonOption = False) -> None:  # fmt: skip
    """Write a few real rows, with their prompts, and keep nothing.

    With --compare, given twice or more, -n slots are asked in each form: yield, diversity and cost side by side.

    Example: hornbook preview demo -n 64 --compare story --compare textbook_section
    """
    from ray_jobs.preview import preview_rows
    from ray_jobs.resolve import resolve

    if compare:
        from ray_jobs.compare_forms import compare_forms, side_by_side

        found = compare_forms(resolve(recipe, settings(set_)).recipe, compare, n)
        print(dumps(found, indent=2, ensure_ascii=False) if json else "\n".join(side_by_side(found)))
        return
    for text in preview_rows(resolve(recipe, settings(set_)).recipe, n):
        print(text)


def generate(recipe: RecipeArgument, set_: SetOption = None, address: AddressOption = None) -> None:
    """Run the line up to what the teacher writes.

    Example: hornbook generate my.yaml
    """
    _drive(recipe, settings(set_, address), "generate")


def run(recipe: RecipeArgument, set_: SetOption = None, address: AddressOption = None) -> None:
    """Run the whole line, or what is left of it.

    Example: hornbook run demo
    """
    _drive(recipe, settings(set_, address), None)


def _drive(recipe: str, given: list[str], until: str | None) -> None:
    from ray_jobs.drive import run as drive
    from ray_jobs.ending import finish
    from ray_jobs.job import check_store
    from ray_jobs.line import run_folder
    from ray_jobs.resolve import resolve
    from ray_jobs.talk import Talk

    resolved = resolve(recipe, given)
    check_store(resolved.recipe)
    talk = Talk(run_folder(resolved.recipe))
    try:
        finish(drive(resolved.recipe, until=until, talk=talk), talk)
    except KeyboardInterrupt:
        # Caught here: the command framework would print its own word for it.
        talk.say("interrupted; the same command goes on from here (exit 130)")
        raise typer.Exit(130) from None


def status(recipe: RecipeArgument, set_: SetOption = None, json: JsonOption = False) -> None:
    """Show how far a run is, from another terminal too.

    Reads the disk only.

    Example: hornbook status demo --json
    """
    from ray_jobs.cli.overview import print_status, status_of

    print_status(status_of(recipe, settings(set_)), as_json=json)


def show(recipe: RecipeArgument, n: Annotated[int, typer.Option("-n", min=1)] = 3, rejected: bool = False,
         source: Annotated[str | None, typer.Option(help="Rows of one source; `synthetic` is what the teacher wrote.")] = None,
         reason: Annotated[str | None, typer.Option(help="Rows that were rejected for it, or for what begins so.")] = None,
         text: Annotated[bool, typer.Option("--text", help="With each rejected row its text.")] = False,
         set_: SetOption = None, json: JsonOption = False) -> None:  # fmt: skip
    """Print kept or rejected rows.

    Texts with secrets, toxic words or benchmark items stay withheld.

    Example: hornbook show demo -n 5 --source synthetic
    Example: hornbook show demo -n 20 --rejected --reason duplicate --text
    """
    from ray_jobs.cli.overview import rows_of
    from ray_jobs.cli.rejections import print_rejected

    if rejected or reason or text:
        print_rejected(recipe, settings(set_), n, as_json=json, source=source, reason=reason, text=text)
    else:
        rows_of(recipe, settings(set_), n, as_json=json, source=source)


def report(recipe: RecipeArgument, out: Annotated[Path | None, typer.Option(help="File to write.")] = None,
           set_: SetOption = None) -> None:  # fmt: skip
    """Write the HTML report of a run; prints its path.

    Example: hornbook report demo --out report.html
    """
    from ray_jobs.ending import write_report
    from ray_jobs.resolve import resolve

    print(write_report(resolve(recipe, settings(set_)).recipe, out))


def publish(recipe: RecipeArgument, repo: Annotated[str | None, typer.Option(help="Hub repository, user/name.")] = None,
            to: Annotated[Path | None, typer.Option(help="Folder to publish into instead.")] = None,
            set_: SetOption = None) -> None:  # fmt: skip
    """Publish the kept rows with their card, in one commit.

    They are read back from where they went, and must be the same.

    Example: hornbook publish my.yaml --repo me/my-textbooks
    """
    from ray_jobs.publishing import publish_run
    from ray_jobs.resolve import resolve

    print(publish_run(resolve(recipe, settings(set_)).recipe, repo, to))


def verify(target: Annotated[str, typer.Argument(help="A published folder or Hub repository, or a recipe's run.")],
           revision: str | None = None) -> None:  # fmt: skip
    """Recompute every hash and count; exit 6 when anything differs.

    Example: hornbook verify me/my-textbooks
    """
    from ray_jobs.publishing import verify_target

    problems = verify_target(target, revision)
    for problem in problems:
        print(problem)
    print(f"{target}: {'as published' if not problems else f'{len(problems)} problems'}", file=sys.stderr)
    if problems:
        raise typer.Exit(6)
