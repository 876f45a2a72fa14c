"""Publishes a finished run, and verifies what was published."""

from __future__ import annotations

import os
from pathlib import Path

from corpus.errors import IncompleteError
from corpus.hub import publish
from corpus.verify import verify
from ray_jobs.drive import Drive
from ray_jobs.line import run_folder
from ray_jobs.recipe import Recipe
from ray_jobs.tombstones import check_whole


def publish_run(recipe: Recipe, repo: str | None, folder: Path | None) -> str:
    """Publish to a repository or a folder; one line that says where, at which revision, and how many rows."""
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    drive = Drive(recipe, run_folder(recipe))
    check_whole(drive.folder)
    if missing := drive.look():
        raise IncompleteError(
            f"{recipe.label}: the stage {missing} is not complete", hint=f"hornbook run {recipe.name}"
        )
    told = recipe.model_dump(mode="json", exclude_unset=True)
    done = publish(
        drive.folder, drive.manifests, recipe.publish, recipe=told, title=recipe.title, repo=repo, folder=folder
    )
    at = f" at {done.revision}" if done.revision else ""
    word = "published" if done.changed else "already there"
    return f"{word}: {done.url}{at}: {done.rows:,} rows, {done.rejected:,} rejected, hash {done.dataset_hash}"


def verify_target(target: str, revision: str | None) -> list[str]:
    """Everything that differs from what was published, one sentence each."""
    return verify(Path(target) if Path(target).exists() else target, revision)
