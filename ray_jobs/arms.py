"""How far the arms of a training are, and how they are asked to stop: through small files beside each student.

The workers may sit on other machines, but they share the students' folder with the driver. So it is the folder that
carries both: `progress.json` from the worker, `stop` from the driver.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from ray_jobs.line import Line

if TYPE_CHECKING:
    from trainer.train import Progress

PROGRESS, STOP = "progress.json", "stop"
EVERY_S = 1.0


def asked_to_stop(folder: Path) -> bool:
    """Whether the driver of the student in `folder` asked all arms to stop."""
    return (folder.parent / STOP).exists()


class ArmReporter:
    """The worker's side: writes its progress, and looks whether it is to stop, once a second."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._last, self._stop = folder, 0.0, False

    def progress(self, seen: Progress) -> None:
        """Take note of a step. Lost when the machine dies, which costs nothing: the checkpoint is what counts."""
        if self._due():
            staged = self._folder / f".{PROGRESS}"
            staged.write_bytes(orjson.dumps({"step": seen.step, "steps": seen.steps, "rate": seen.tokens_per_second}))
            staged.replace(self._folder / PROGRESS)
            self._stop = asked_to_stop(self._folder)

    def should_stop(self) -> bool:
        """Whether the driver asked to stop when it was last looked."""
        return self._stop

    def _due(self) -> bool:
        now = time.monotonic()
        due = now - self._last >= EVERY_S
        self._last = now if due else self._last
        return due


class ArmWatch:
    """The driver's side: shows the arms as one figure, and hands on that somebody asked to stop."""

    def __init__(self, line: Line, folders: list[Path], tokens: int) -> None:
        """`tokens`: budget of one arm."""
        self._line, self._folders, self._tokens = line, folders, tokens
        for folder in folders:
            (folder.parent / STOP).unlink(missing_ok=True)
            (folder / PROGRESS).unlink(missing_ok=True)

    def look(self, finished: int) -> None:
        """Called while arms train; `finished` are done, the first ones of the folders."""
        if self._line.stopping.is_set():
            for folder in self._folders:
                folder.parent.mkdir(parents=True, exist_ok=True)
                (folder.parent / STOP).touch()
        seen = [found for folder in self._folders[finished:] if (found := _read(folder / PROGRESS))]
        done = self._tokens * (finished + sum(item["step"] / item["steps"] for item in seen))
        rate = sum(item["rate"] for item in seen if item["step"] < item["steps"])
        if done:
            self._line.talk.step("train", int(done), self._tokens * len(self._folders), "tokens", rate=rate)


def _read(path: Path) -> dict[str, float] | None:
    try:
        return orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
