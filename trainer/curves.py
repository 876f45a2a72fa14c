"""Curves for TensorBoard. Without the package training goes on and says nothing: `curve` in the result has the same."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = "tensorboard"


class Curves:
    """One event file a process start; steps that are repeated after a restart overwrite themselves in the plots."""

    def __init__(self, folder: Path | None, first_step: int) -> None:
        """`folder`: the student's; None writes nothing. `first_step`: where this process goes on."""
        self._writer: Any = None
        if folder is not None and importlib.util.find_spec("tensorboardX") is not None:
            from tensorboardX import SummaryWriter

            self._writer = SummaryWriter(str(folder / FOLDER), purge_step=first_step or None)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Points at `step`, one a curve."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write out what is held."""
        if self._writer is not None:
            self._writer.close()
