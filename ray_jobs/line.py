"""What every stage of a run shares: the recipe, the run's folder, how passes run, and whom to tell."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Protocol

from corpus.errors import IncompleteError
from corpus.store import Store, open_store
from corpus.tokens import TokenCounter
from ray_jobs.passes import Passes
from ray_jobs.recipe import Recipe
from ray_jobs.talk import Talk


class TeacherDesk(Protocol):
    """Where stages find the teacher; it may still be getting ready when they ask."""

    def urls(self) -> tuple[str, ...]:
        """Base URLs, once the teacher answers."""
        ...

    def counter(self) -> TokenCounter:
        """The tokenizer that counts every budget."""
        ...

    def stop(self) -> None:
        """End what was started for this run."""
        ...


@dataclass
class Line:
    """One run in the making."""

    recipe: Recipe
    folder: Store
    passes: Passes
    talk: Talk
    teacher: TeacherDesk
    stopping: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raises `IncompleteError` once somebody asked to stop; called between pieces of work."""
        if self.stopping.is_set():
            raise IncompleteError("interrupted; everything finished so far is committed")


def run_folder(recipe: Recipe) -> Store:
    """STORE/NAME@VERSION."""
    return open_store(f"{recipe.store.rstrip('/')}/{recipe.label}")
