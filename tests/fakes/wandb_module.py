"""The part of the package wandb that the trainer calls, in memory."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


class Refused(Exception):
    """What the package raises when it cannot begin."""


@dataclass
class Run:
    """What was said to one run."""

    settings: dict[str, Any]
    points: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    finished: bool = False

    def log(self, values: dict[str, float], step: int) -> None:
        """As the package does."""
        self.points.append((step, values))

    def finish(self) -> None:
        """As the package does."""
        self.finished = True


def install(monkeypatch: pytest.MonkeyPatch, refuses: str = "") -> list[Run]:
    """Put it where an import finds it; the runs that will have begun. `refuses`: why none can."""
    runs: list[Run] = []

    def init(**settings: Any) -> Run:
        if refuses:
            raise Refused(refuses)
        runs.append(Run(settings))
        return runs[-1]

    module: Any = ModuleType("wandb")
    module.__spec__ = ModuleSpec("wandb", None)  # others look whether it is there
    module.init, module.Settings, module.errors = init, lambda **given: given, SimpleNamespace(Error=Refused)
    monkeypatch.setitem(sys.modules, "wandb", module)
    return runs
