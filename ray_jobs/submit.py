"""Submits a run to a Ray cluster through its job server; the token comes from the environment, never from a flag.

A job runs in a copy of its working directory that goes when it ends, perhaps on another machine. So the code and the
recipe travel by value, what runs is what was checked here, and every path that stays behind must be absolute or a URL.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from corpus.errors import RecipeError, SetupError
from ray_jobs.code import FOLDERS
from ray_jobs.job import client, tell
from ray_jobs.recipe import Recipe
from ray_jobs.resolve import resolve

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 90.0  # a busy machine of two cores was seen to take more than 30 s
DRAIN_S = 120  # between the signal that stops a job and the one that kills it; Ray's own choice is 3 s
SHIPPED = (*FOLDERS, "recipes")


def submit_run(name: str, address: str, settings: list[str]) -> str:
    """Check the recipe here and hand it over, with this code. Returns the job's id."""
    recipe = resolve(name, settings).recipe
    check_paths(recipe)
    store = recipe.store if "://" in recipe.store else str(Path(recipe.store).absolute())
    with _parcel(recipe.model_copy(update={"store": store})) as folder:
        command = shlex.join(["python", "-m", "ray_jobs.cli.main", "run", f"{recipe.name}.yaml"])
        environment = {"working_dir": str(folder), "env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(DRAIN_S)}}
        return _submit(client(address), command, environment, recipe.label)


def check_paths(recipe: Recipe) -> None:
    """Refuse what the job could not find: it does not run in this folder. Raises `RecipeError`."""
    for key, value in _paths(recipe):
        if "://" not in value and not os.path.isabs(value):
            raise RecipeError(
                f"{key} = {value!r} is relative, and a job runs in a folder of its own",
                hint="give an absolute path that the cluster's nodes see, or a URL",
            )


def _paths(recipe: Recipe) -> Iterator[tuple[str, str]]:
    for name, source in recipe.sources.items():
        if source.kind == "files":
            yield from ((f"sources.{name}.paths", path) for path in source.paths)
    if recipe.generate and recipe.generate.library:
        yield "generate.library", recipe.generate.library
    if recipe.teacher.tokenizer:
        yield "teacher.tokenizer", recipe.teacher.tokenizer
    if Path(recipe.teacher.model).is_dir() or recipe.teacher.model.startswith("."):
        yield "teacher.model", recipe.teacher.model


@contextmanager
def _parcel(recipe: Recipe) -> Iterator[Path]:
    """A folder with this code and the merged recipe, the same from a clone and from an installed wheel."""
    with tempfile.TemporaryDirectory(prefix="hornbook-job-") as place:
        folder = Path(place)
        for name in SHIPPED:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        values = recipe.model_dump(mode="json", exclude_unset=True)
        text = yaml.dump(values, Dumper=_Plain, sort_keys=False, allow_unicode=True)
        (folder / f"{recipe.name}.yaml").write_text(text, "utf-8")
        yield folder


class _Plain(yaml.SafeDumper):
    """Without anchors and aliases, which recipes refuse."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write every value out."""
        return True


def _submit(jobs: Any, command: str, environment: dict[str, Any], label: str) -> str:
    """A head that has just started answers before its job agent does, with a plain RuntimeError: so try for a while."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return jobs.submit_job(entrypoint=command, runtime_env=environment, metadata={"run": label})
        except RuntimeError as error:
            if time.monotonic() >= end:
                raise SetupError(f"the cluster did not take the job: {tell(error)}", hint="hornbook doctor") from error
            time.sleep(2.0)
