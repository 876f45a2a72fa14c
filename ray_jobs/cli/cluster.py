"""cluster submit, logs, stop: a run as a Ray job."""

from __future__ import annotations

import sys
from typing import Annotated, TextIO

import typer

from ray_jobs.cli.options import RecipeArgument, SetOption

app = typer.Typer(help="Run on a Ray cluster.", no_args_is_help=True, rich_markup_mode=None)
Address = Annotated[
    str,
    typer.Option(
        "--address", help="Address of the cluster's dashboard, http://host:8265.", envvar="RAY_API_SERVER_ADDRESS"
    ),
]
Job = Annotated[str, typer.Argument(help="Id that `submit` printed.")]
LOCAL = "http://127.0.0.1:8265"


@app.command()
def submit(recipe: RecipeArgument, address: Address = LOCAL, set_: SetOption = None,
           wait: Annotated[bool, typer.Option(help="Stream the log and end with the job's own exit code.")] = True) -> None:  # fmt: skip
    """Submit a recipe as a Ray job, with this code.

    Prints the job's id on stdout and streams its log on stderr.

    Example: hornbook cluster submit my.yaml --address http://127.0.0.1:8265
    """
    from ray_jobs.submit import submit_run

    job = submit_run(recipe, address, set_ or [])
    print(job, flush=True)
    if wait:
        _follow(job, address, sys.stderr)


@app.command()
def logs(job: Job, address: Address = LOCAL,
         follow: Annotated[bool, typer.Option("--follow", help="Go on until the job ends, with its exit code.")] = False) -> None:  # fmt: skip
    """Print a job's log.

    Example: hornbook cluster logs raysubmit_abc --follow --address http://127.0.0.1:8265
    """
    from ray_jobs.job import logs_of

    if follow:
        _follow(job, address, sys.stdout)
    else:
        print(logs_of(job, address), end="")


@app.command()
def stop(job: Job, address: Address = LOCAL) -> None:
    """Stop a job and wait until it has.

    What it finished stays, and submitting it again goes on.

    Example: hornbook cluster stop raysubmit_abc --address http://127.0.0.1:8265
    """
    from ray_jobs.job import stop_job

    print(f"{job}: {stop_job(job, address)}")


def _follow(job: str, address: str, out: TextIO) -> None:
    from ray_jobs.job import follow, result_of

    try:
        follow(job, address, out)
    except KeyboardInterrupt:
        print(
            f"\nthe job goes on: hornbook cluster logs {job} --follow, or hornbook cluster stop {job}", file=sys.stderr
        )
        raise typer.Exit(130) from None
    if code := result_of(job, address):
        raise typer.Exit(code)
