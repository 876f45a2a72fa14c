"""One student trained by several workers: Ray places them, joins them in a process group, and starts them anew when one
dies. What they do, and how they go on from the last checkpoint, is the same call that one process makes alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ray_jobs.cluster import connect
from ray_jobs.recipe import RunConfig

Item = TypeVar("Item")
Result = TypeVar("Result")
RAY_FOLDER, RESTARTS = ".ray", 3


def on_a_team(function: Callable[[Item], Result], run: RunConfig, workers: int, folder: Path, item: Item) -> Result:
    """`function(item)` on each of `workers` at once; then once more here, where it finds what they finished.

    `folder` is the student's, on a disk that all workers share. Raises what the workers raised.
    """
    connect(run)
    from ray.train import FailureConfig, ScalingConfig
    from ray.train import RunConfig as TrainRun
    from ray.train.torch import TorchTrainer

    ray: Any = connect(run)
    gpus = ray.cluster_resources().get("GPU", 0) >= workers
    folder.mkdir(parents=True, exist_ok=True)
    TorchTrainer(
        partial(_member, function, item),
        scaling_config=ScalingConfig(num_workers=workers, use_gpu=gpus),
        run_config=TrainRun(
            name="team",
            storage_path=str((folder / RAY_FOLDER).resolve()),
            failure_config=FailureConfig(max_failures=RESTARTS),
        ),
    ).fit()
    return function(item)


def _member(function: Callable[[Item], object], item: Item) -> None:
    """Run on a worker."""
    function(item)
