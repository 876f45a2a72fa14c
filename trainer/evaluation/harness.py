"""Tasks of lm-evaluation-harness, where it is installed (`pip install 'hornbook[eval]'`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from corpus.errors import RecipeError, SetupError


def harness_model(folder: Path) -> Any:
    """The student as the harness sees it, texts beginning after its start token, as in training."""
    try:
        from lm_eval.models.huggingface import HFLM
    except ImportError as error:
        raise SetupError(f"lm-eval cannot be loaded: {error}", hint="pip install 'hornbook[eval]'") from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return HFLM(pretrained=str(folder), dtype="float32", add_bos_token=True, batch_size=8, device=device)


def harness_scores(folder: Path, tasks: Sequence[str], limit: int | None) -> dict[str, dict[str, float]]:
    """Metrics by task; `TASK@FOLDER` names one of the user's own, whose YAML lies in the folder.

    Raises `SetupError` without the harness, `RecipeError` for a task that it does not know.
    """
    model = harness_model(folder)
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    own = [place for task in tasks if (place := task.partition("@")[2])]
    names = [task.partition("@")[0] for task in tasks]
    manager = TaskManager(include_path=own or None)
    if unknown := sorted(set(names) - set(manager.all_tasks)):
        raise RecipeError(f"lm-eval knows no task {unknown[0]!r}", hint="lm-eval ls tasks")
    found = simple_evaluate(model=model, tasks=names, limit=limit, task_manager=manager, log_samples=False)
    return {
        task: {name: value for name, value in metrics.items() if isinstance(value, (int, float))}
        for task, metrics in found["results"].items()
    }
