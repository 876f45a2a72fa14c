"""Submits a run to a Ray cluster through its job server; the token comes from the environment, never from a flag."""

from __future__ import annotations

import asyncio
import shlex
import time
from pathlib import Path
from typing import Any, TextIO

from corpus.errors import SetupError
from ray_jobs.resolve import resolve

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 60.0  # measured: 20 s from the head's port to its job agent on two busy cores
LEFT_OUT = [".git", ".venv", "runs", "tests", "bench", "docs", "**/__pycache__"]


def client(address: str) -> Any:
    """Ray's job client. Raises `SetupError` when the address does not answer or refuses the token."""
    from ray.job_submission import JobSubmissionClient

    try:
        return JobSubmissionClient(address)
    except (ConnectionError, RuntimeError) as error:
        raise SetupError(
            f"{address}: {error}", hint="is the head up, and RAY_AUTH_TOKEN_PATH the cluster's?"
        ) from error


def submit_run(recipe: Path, address: str, settings: list[str]) -> str:
    """Check the recipe here, then hand it over by value, so that what runs is what was checked. Returns the job's id."""
    store = resolve(str(recipe), settings).recipe.store
    place = store if "://" in store else str(Path(store).absolute())
    flags = [item for setting in [*settings, f"store={place}"] for item in ("--set", setting)]
    inside = recipe.resolve()
    name = inside.relative_to(ROOT).as_posix() if inside.is_relative_to(ROOT) else str(inside)
    command = shlex.join(["python", "-m", "ray_jobs.cli.main", "run", name, *flags])
    environment = {"working_dir": str(ROOT), "excludes": LEFT_OUT} if (ROOT / "pyproject.toml").is_file() else {}
    return _submit(client(address), command, environment, recipe.name)


def _submit(jobs: Any, command: str, environment: dict[str, Any], name: str) -> str:
    """A head that has just started answers before its job agent does, with a plain RuntimeError: so try for a while."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return jobs.submit_job(entrypoint=command, runtime_env=environment, metadata={"recipe": name})
        except RuntimeError as error:
            if time.monotonic() >= end:
                raise SetupError(f"the cluster did not take the job: {error}", hint="hornbook doctor") from error
            time.sleep(2.0)


def wait_for(job: str, address: str, out: TextIO) -> bool:
    """Stream the log until the job ends; whether it succeeded."""
    jobs = client(address)

    async def follow() -> None:
        async for lines in jobs.tail_job_logs(job):
            out.write(lines)
            out.flush()

    asyncio.run(follow())
    return str(jobs.get_job_status(job)) == "SUCCEEDED"


def logs_of(job: str, address: str) -> str:
    """Everything that the job printed so far."""
    return client(address).get_job_logs(job)


def stop_job(job: str, address: str) -> str:
    """Ask the job to stop (it drains first) and say what state it is in."""
    jobs = client(address)
    jobs.stop_job(job)
    return f"{job}: {jobs.get_job_status(job)}"
