"""What a person sees while it runs: one line a stage, a live panel on a terminal, plain lines elsewhere.

Data goes to stdout, talk to stderr. The same facts go as lines of JSON into the run's folder, where `hornbook status`
reads them from another terminal.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

from corpus.store import Store
from ray_jobs.panel import Panel

PLAIN_EVERY_S = 15.0  # a line this often where there is no terminal
EARLY = 0.05  # of all: before that much is done, nobody can say how long the rest will take
PROGRESS = "progress.json"


class Talk:
    """Progress of one run. Thread-safe; costs nothing when nobody looks."""

    def __init__(self, folder: Store | None = None, *, quiet: bool = False) -> None:
        self._folder, self._quiet = folder, quiet
        self._lock = threading.RLock()  # the handler of Ctrl-C speaks too, perhaps in the middle of a line
        self._begun = time.monotonic()
        self._panel: Panel | None = None
        self._last_line = self._last_file = 0.0
        self._terminal = sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"
        self.split: list[tuple[str, float]] = []

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self._begun

    def say(self, text: str) -> None:
        """One line, for good."""
        with self._lock:
            self._clear()
            if not self._quiet:
                print(f"{_clock(self.seconds)}  {text}", file=sys.stderr, flush=True)

    @contextmanager
    def stage(self, name: str, what: str) -> Iterator[None]:
        """A line when the stage begins, and its time in the split when it ends."""
        self.say(f"{name:<10} {what}")
        begun = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._clear()
            self.split.append((name, time.monotonic() - begun))

    def step(
        self, name: str, done: int, total: int, unit: str, *, rate: float = 0.0, note: str = "",
        facts: Sequence[tuple[str, str]] = (),
    ) -> None:  # fmt: skip
        """Progress within a stage: a panel on a terminal, a line every 15 s elsewhere.

        `facts` are more labels and values, such as what was kept and why the rest was not.
        """
        left = _clock((total - done) / rate) if rate > 0 and total * EARLY <= done < total else ""
        text = f"{name:<10} {done:,}/{total:,} {unit}, {rate:,.1f} {unit}/s"
        text += "".join(f", {part}" for part in (left and f"{left} left", note, *map(" ".join, facts)) if part)
        with self._lock:
            self._remember(
                {"stage": name, "done": done, "total": total, "unit": unit, "rate": round(rate, 2), "note": note}
            )
            if self._quiet:
                return
            if self._terminal:
                rows = [
                    (unit, f"{done:,} of {total:,}"),
                    ("rate", f"{rate:,.1f} {unit}/s"),
                    ("speed", note),
                    *facts,
                    ("left", left),
                ]
                self._panel = self._panel or Panel()
                title = f"{name} · {_clock(self.seconds)}"
                self._panel.show(title, done / total if total else 0.0, [row for row in rows if row[1]])
            elif time.monotonic() - self._last_line >= PLAIN_EVERY_S:
                self._last_line = time.monotonic()
                print(f"{_clock(self.seconds)}  {text}", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._panel:
            self._panel.stop()

    def _remember(self, record: dict[str, Any]) -> None:
        if self._folder is not None and time.monotonic() - self._last_file >= 1.0:
            self._last_file = time.monotonic()
            record.update(seconds=round(self.seconds, 1), at=round(time.time(), 1))
            self._folder.replace(PROGRESS, orjson.dumps(record))


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
