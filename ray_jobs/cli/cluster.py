"""cluster submit, logs, stop: a run as a Ray job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ray_jobs.cli.options import SetOption

app = typer.Typer(help="Run on a Ray cluster.", no_args_is_help=True)
Address = Annotated[
    str,
    typer.Option(
        "--address", help="Address of the cluster's dashboard, http://host:8265.", envvar="RAY_API_SERVER_ADDRESS"
    ),
]


@app.command()
def submit(recipe: Annotated[Path, typer.Argument(help="Recipe file.")], address: Address = "http://127.0.0.1:8265",
           set_: SetOption = None,
           wait: Annotated[bool, typer.Option(help="Stream the logs and end with the job's own result.")] = True) -> None:  # fmt: skip
    """Submit a recipe as a Ray job, with this code; prints the job's id.

    Example: hornbook cluster submit my.yaml --address http://127.0.0.1:8265
    """
    from ray_jobs.submit import submit_run, wait_for

    job = submit_run(recipe, address, set_ or [])
    print(job, flush=True)
    if wait and not wait_for(job, address, sys.stderr):
        raise typer.Exit(5)


@app.command()
def logs(job: str, address: Address = "http://127.0.0.1:8265") -> None:
    """Print a job's log.

    Example: hornbook cluster logs raysubmit_abc --address http://127.0.0.1:8265
    """
    from ray_jobs.submit import logs_of

    print(logs_of(job, address), end="")


@app.command()
def stop(job: str, address: Address = "http://127.0.0.1:8265") -> None:
    """Stop a job; what it finished stays, and submitting it again goes on.

    Example: hornbook cluster stop raysubmit_abc --address http://127.0.0.1:8265
    """
    from ray_jobs.submit import stop_job

    print(stop_job(job, address))
