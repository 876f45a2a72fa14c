"""Publishes a folder as a model on the Hub, in one commit, and proves it by reading the list of its files back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from corpus.errors import SetupError, StateError
from corpus.hub import hub_errors


def publish_model(folder: Path, repo: str, message: str, *, private: bool = True) -> str:
    """Upload all files of `folder` to `repo`, which is made if it is not there; its address and revision.

    Raises `SetupError` without a token or when the Hub refuses, `StateError` when a file is not there afterwards.
    """
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    from huggingface_hub import CommitOperationAdd, HfApi, get_token

    if not get_token():
        raise SetupError(
            "there is no Hub token",
            hint="set HF_TOKEN to a token that may write this one repository, or run `hf auth login`",
        )
    api: Any = HfApi()
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    with hub_errors(repo):
        api.create_repo(repo, repo_type="model", private=private, exist_ok=True)
        operations = [CommitOperationAdd(name, folder / name) for name in names]
        done = api.create_commit(repo, operations, commit_message=message, repo_type="model")
        there = {item.rfilename for item in api.model_info(repo, revision=str(done.oid)).siblings or []}
    if missing := sorted(set(names) - there):
        raise StateError(f"{repo}: {missing[0]} was uploaded and is not there", hint="publish again")
    return f"{api.endpoint}/{repo} at {done.oid}"
