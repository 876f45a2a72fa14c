"""A submitted job, from outside: its log, its end, and how it is stopped. Ray's job server answers for all of it."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Mapping
from typing import Any, TextIO

from corpus.errors import IncompleteError, RecipeError, SetupError
from ray_jobs.recipe import Recipe

POLL_S = 0.5
STOP_S = 180.0  # a job drains for two minutes at most before Ray kills it (submit.DRAIN_S)
# Loggers of the client that tell how it packs and closes sockets; each module sets its own level when imported.
TALKATIVE = (
    "ray.dashboard.modules.dashboard_sdk",
    "ray.dashboard.modules.job.sdk",
    "ray._private.runtime_env.packaging",
)
VARIABLE = "RAY_JOB_CONFIG_JSON_ENV_VAR"  # Ray sets it for the process that a job starts


def check_store(recipe: Recipe, environment: Mapping[str, str] = os.environ) -> None:
    """Inside a job a relative store would lie in the job's own folder, which goes with it. Raises `RecipeError`."""
    if VARIABLE in environment and "://" not in recipe.store and not os.path.isabs(recipe.store):
        raise RecipeError(
            f"store = {recipe.store!r} is relative, and the folder of a Ray job goes when the job ends",
            hint="give a folder that outlives the job, or a URL: --set store=/shared/runs, or HORNBOOK__STORE",
        )


def client(address: str) -> Any:
    """Ray's job client. Raises `SetupError` when the address does not answer or refuses the token."""
    from ray.job_submission import JobSubmissionClient

    try:
        jobs = JobSubmissionClient(address)
    except (ConnectionError, RuntimeError) as error:
        raise SetupError(
            f"{address}: {tell(error)}", hint="is the head up, and RAY_AUTH_TOKEN_PATH the cluster's?"
        ) from error
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    return jobs


def tell(error: Exception) -> str:
    """The last line of Ray's message, which holds the cause under a traceback of its server."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else repr(error)


def follow(job: str, address: str, out: TextIO) -> None:
    """Stream the log until the job ends."""
    jobs = client(address)
    _details(jobs, job)

    async def copy() -> None:
        async for lines in jobs.tail_job_logs(job):
            out.write(lines)
            out.flush()

    asyncio.run(copy())


def result_of(job: str, address: str) -> int:
    """The exit code of a job that has ended: its process's own, 130 when it was stopped, 5 when Ray lost it."""
    found = _details(client(address), job)
    if str(found.status) == "STOPPED":
        return 130
    return 0 if str(found.status) == "SUCCEEDED" else found.driver_exit_code or 5


def logs_of(job: str, address: str) -> str:
    """Everything that the job printed so far."""
    jobs = client(address)
    _details(jobs, job)
    return jobs.get_job_logs(job)


def stop_job(job: str, address: str) -> str:
    """Ask the job to stop and wait until it has: it commits what it has first. The state that it ended in."""
    jobs = client(address)
    if _details(jobs, job).status.is_terminal():
        return str(_details(jobs, job).status)
    jobs.stop_job(job)
    end = time.monotonic() + STOP_S
    while not (status := _details(jobs, job).status).is_terminal():
        if time.monotonic() > end:
            raise IncompleteError(f"{job} is still {status} after {STOP_S:.0f} s", hint="ask again, or look at its log")
        time.sleep(POLL_S)
    return str(status)


def _details(jobs: Any, job: str) -> Any:
    try:
        return jobs.get_job_info(job)
    except RuntimeError as error:
        raise SetupError(f"{job}: {tell(error)}", hint="`hornbook cluster submit` prints the job's id") from error
