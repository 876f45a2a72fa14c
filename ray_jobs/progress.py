"""What is known of the teacher's work while it goes on: for the person who waits, and for Prometheus."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from filters.sensitive import redact
from generator.book import Book
from generator.reply import Outcome, Reply
from generator.request import Request
from generator.waves import Waves
from ray_jobs.line import Line
from ray_jobs.metrics import Metrics, served

TAIL_LIMIT = 320  # characters of the first sample on the terminal
TOLD_REASONS = 4  # of rejection, on the terminal


class Progress:
    """Counts outcomes for the person who waits, and shows the first text as soon as there is one."""

    def __init__(self, line: Line, waves: Waves, book: Book) -> None:
        self._line, self._waves, self._book = line, waves, book
        self._begun, self._tokens, self._shown = time.monotonic(), 0, waves.recalled > 0
        self._verdicts: Counter[str] = Counter()  # of the first `_judged` rejections
        self._judged, self._lock = 0, threading.Lock()
        self.metrics = Metrics()
        self.sent = self.handed = 0

    @contextmanager
    def told(self) -> Iterator[None]:
        """Serve the metrics page, where the recipe wants one."""
        self.metrics.verdicts = self.verdicts
        self.metrics.gauges = {
            "hornbook_in_flight": ("Requests in the teacher's window.", self.in_flight),
            "hornbook_queue": ("Requests that wait for a place in the window.", self.queue),
        }
        with served(self.metrics, self._line.recipe.run.metrics_port) as port:
            if port is not None:
                self._line.talk.say(f"generate   metrics at http://127.0.0.1:{port}/metrics")
            yield

    def in_flight(self) -> int:
        """Requests in the window: what was handed out and not answered, as far as the window reaches."""
        return min(self.handed - self.sent, self._line.recipe.teacher.concurrency)

    def queue(self) -> int:
        """Requests that were planned so far and are neither answered nor in the window."""
        return max(0, self._waves.turns - self._waves.recalled - self.sent - self.in_flight())

    def verdicts(self) -> dict[str, int]:
        """Attempts by reason, `kept` among them."""
        with self._lock:  # the page and the terminal ask from threads of their own
            fresh = self._book.rejections[self._judged :]
            self._judged += len(fresh)
            self._verdicts.update(item.reason for item in fresh)
            return {"kept": len(self._book.documents), **self._verdicts}

    def seen(self, outcomes: Sequence[Outcome]) -> None:
        """Take note of outcomes."""
        self.sent += len(outcomes)
        self.metrics.seen(outcomes)
        self._book.take_in(outcomes)
        for reply in outcomes:
            if isinstance(reply, Reply):
                self._tokens += reply.completion_tokens
                self._show(reply)
        seconds = max(0.01, time.monotonic() - self._begun)
        self._line.talk.step(
            "generate", self._waves.recalled + self.sent, self._waves.turns, "replies", rate=self.sent / seconds,
            note=f"{self._tokens / seconds:,.0f} tokens/s", facts=self._facts(),
        )  # fmt: skip

    def _facts(self) -> list[tuple[str, str]]:
        """What the live view says besides the rate: the yield by reason, and what is on its way."""
        verdicts = self.verdicts()
        kept = verdicts.pop("kept")
        why = sorted(verdicts.items(), key=lambda item: (-item[1], item[0]))[:TOLD_REASONS]
        return [("kept", f"{kept:,}"), *((reason, f"{count:,}") for reason, count in why),
                ("in flight", f"{self.in_flight():,}"), ("queue", f"{self.queue():,}")]  # fmt: skip

    def _show(self, reply: Reply) -> None:
        if not self._shown and len(reply.text) > TAIL_LIMIT // 2:
            self._shown = True
            text = redact(" ".join(reply.text.split())[:TAIL_LIMIT])[0]
            self._line.talk.say(f"generate   the first text, as the teacher wrote it:\n\n      “{text} …”\n")


class Ahead:
    """The waves, with the requests that were taken to see whether there are any."""

    def __init__(self, first: list[Request], waves: Waves, progress: Progress) -> None:
        self._first, self._waves, self._progress = first, waves, progress

    def take(self, limit: int) -> list[Request]:
        """Requests to send now, counted as handed out."""
        first, self._first = self._first, []
        taken = first or self._waves.take(limit)
        self._progress.handed += len(taken)
        return taken
