"""Curves for TensorBoard and Weights & Biases, whichever the recipe names; the result has the same under `curve` and `by`.

TensorBoard is the default and its package may be missing: training goes on and says nothing. Weights & Biases sends what it is
given elsewhere, so it is imported only where it is asked for, and its absence is an error then.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from corpus.errors import SetupError
from trainer.config import StudentConfig

FOLDER, PROJECT = "tensorboard", "hornbook"


class Tracker(Protocol):
    """Where points go."""

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Points at `step`, one a curve."""
        ...

    def close(self) -> None:
        """Write out what is held."""
        ...


def trackers(config: StudentConfig, folder: Path, first_step: int, identity: str) -> Sequence[Tracker]:
    """Those that `config.track` names. `folder`: the student's; `first_step`: where this process goes on; `identity`: of
    the training, so that a run which goes on is the same run there.

    Raises `SetupError` when Weights & Biases is asked for and cannot be used.
    """
    made: list[Tracker] = []
    if "tensorboard" in config.track and importlib.util.find_spec("tensorboardX") is not None:
        made.append(TensorBoard(folder, first_step))
    if "wandb" in config.track:
        made.append(WeightsAndBiases(config, folder, identity))
    return made


class TensorBoard:
    """One event file a process start; steps that are repeated after a restart overwrite themselves in the plots."""

    def __init__(self, folder: Path, first_step: int) -> None:
        from tensorboardX import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder / FOLDER), purge_step=first_step or None)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Points at `step`, one a curve."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write out what is held."""
        self._writer.close()


class WeightsAndBiases:
    """One run a student, under its folder's name; a run that goes on is continued, steps it has are not sent again."""

    def __init__(self, config: StudentConfig, folder: Path, identity: str) -> None:
        """Project, entity and whether it is online are what `WANDB_PROJECT`, `WANDB_ENTITY` and `WANDB_MODE` say."""
        wandb = _wandb()
        settings = wandb.Settings(silent=True, console="off", x_disable_meta=True, disable_git=True, disable_code=True)
        try:
            self._run: Any = wandb.init(
                project=os.environ.get("WANDB_PROJECT") or PROJECT, name=folder.name, id=identity, resume="allow",
                dir=str(folder), config=config.model_dump(mode="json"), settings=settings,
            )  # fmt: skip
        except wandb.errors.Error as error:
            raise SetupError(f"student.track: Weights & Biases: {error}",
                             hint="run `wandb login`, or set WANDB_MODE=offline") from error  # fmt: skip

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Points at `step`, one a curve."""
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        """Write out what is held."""
        self._run.finish()


def _wandb() -> Any:
    try:
        import wandb
    except ImportError:
        raise SetupError("student.track: the package wandb is not installed", hint="pip install wandb") from None
    return wandb
