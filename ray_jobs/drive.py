"""Drives the line from its first stage to its report: what is done is left alone, what can overlap does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from corpus.errors import IncompleteError, SetupError, StateError, YieldError
from corpus.lease import Lease
from corpus.manifest import Manifest
from corpus.store import Store
from ray_jobs.cluster import cache_folder
from ray_jobs.desk import Desk
from ray_jobs.line import Line, run_folder
from ray_jobs.passes import passes_for
from ray_jobs.recipe import Recipe
from ray_jobs.stage import Stage, complete, finished
from ray_jobs.talk import Talk
from ray_jobs.tombstones import check_whole

STAGES = ("read", "clean", "score", "generate", "filter", "blend", "train", "evaluate")
RENEW_S = 10.0


@dataclass
class Drive:
    """The stages of a recipe and the manifests made so far."""

    recipe: Recipe
    folder: Store
    manifests: dict[str, Manifest] = field(default_factory=dict)

    def stages(self, line: Line | None) -> Iterator[Stage]:
        """Stages in order; each is built from the manifests before it, so consume one at a time."""
        from ray_jobs.stages import blend, clean, evaluate, filter, generate, read, score, train

        place: Line = line or Line(self.recipe, self.folder, None, Talk(quiet=True), None)  # type: ignore[arg-type]
        done = self.manifests
        if self.recipe.sources:
            yield read.stage(place)
            if self.recipe.cleaning:
                yield clean.stage(place, done["read"])
            yield score.stage(place, done[self.recipe.texts])
        if self.recipe.generate:
            yield generate.stage(place, self._made(self.recipe.texts, "score"))
        yield filter.stage(place, self._made(self.recipe.texts, "score", "generate"))
        yield blend.stage(place, self._made("read", "filter"))
        if self.recipe.student:
            yield train.stage(place, done["blend"])
            yield evaluate.stage(place, done["blend"], done["train"])

    def _made(self, *names: str) -> dict[str, Manifest]:
        return {name: self.manifests[name] for name in names if name in self.manifests}

    def look(self) -> str | None:
        """The first stage that is not complete, reading manifests only; None when all are."""
        stages = self.stages(None)
        for stage in stages:
            found = finished(stage, self.folder)
            if found is None:
                return stage.name
            self.manifests[stage.name] = found
        return None


def run(recipe: Recipe, *, until: str | None = None, talk: Talk | None = None) -> Drive:
    """Complete the line, or its part up to the stage `until`. Raises the errors of `corpus.errors`."""
    drive = Drive(recipe, run_folder(recipe))
    check_whole(drive.folder)
    if drive.look() is None or (until and until in drive.manifests):
        return drive
    talk = talk or Talk(drive.folder)
    with held(drive.folder) as stopping:
        desk = Desk(recipe.teacher, log_of(drive.folder, recipe), talk)
        try:
            _run(drive, desk, talk, until, stopping)
        finally:
            desk.stop()
    _check_yield(recipe, drive)
    return drive


def _run(drive: Drive, desk: Desk, talk: Talk, until: str | None, stopping: threading.Event) -> None:
    recipe = drive.recipe
    if recipe.generate and "generate" not in drive.manifests:
        desk.open()
    line = Line(recipe, drive.folder, passes_for(recipe.run), talk, desk, stopping)
    with stoppable(line):
        for stage in drive.stages(line):
            line.check()
            if stage.name in drive.manifests:
                continue
            if stage.name == "filter":
                desk.counter()
                desk.stop()
            with talk.stage(stage.name, _begins(stage.name)):
                drive.manifests[stage.name] = complete(stage, drive.folder, recipe.label)
            talk.say(_ends(drive.manifests[stage.name]))
            if stage.name == until:
                return


def _begins(name: str) -> str:
    return {
        "read": "reading the sources",
        "clean": "cleaning the texts",
        "score": "scoring what was read, once",
        "generate": "asking the teacher",
        "filter": "deciding what is kept",
        "blend": "blending to the budget",
        "train": "training one student an arm, at equal tokens",
        "evaluate": "measuring the students on text that none has seen",
    }[name]


def _ends(manifest: Manifest) -> str:
    balance = manifest.balance
    parts = [f"{balance.kept:,} kept", f"{balance.rejected:,} rejected"] + (
        [f"{balance.unused:,} unused"] if balance.unused else []
    )
    why = sorted(manifest.reasons.items(), key=lambda item: -item[1])[:4]
    reasons = f" ({', '.join(f'{name} {count:,}' for name, count in why)})" if why else ""
    return f"{manifest.stage:<10} {', '.join(parts)}{reasons}, in {manifest.seconds:.0f} s"


def _check_yield(recipe: Recipe, drive: Drive) -> None:
    made = drive.manifests.get("generate")
    if made and (share := made.totals["documents"] / made.totals["slots"]) < recipe.limits.required_yield:
        raise YieldError(
            f"{share:.0%} of the planned documents were kept; the recipe requires {recipe.limits.required_yield:.0%}"
        )


def log_of(folder: Store, recipe: Recipe) -> Path:
    """Where the teacher's server writes its log."""
    return (folder.local or cache_folder() / "logs" / recipe.label) / "logs" / "teacher.log"


@contextmanager
def held(folder: Store) -> Iterator[threading.Event]:
    """Hold the run's lease, renewed in the background. The event asks the run to stop, as when the lease is lost.

    Raises `StateError` when another driver took the run over: what this one has in flight is finished and committed.
    """
    lease, over, stopping, lost = Lease.acquire(folder), threading.Event(), threading.Event(), threading.Event()

    def renew() -> None:
        while not over.wait(RENEW_S):
            try:
                lease.renew()
            except SetupError:
                continue  # the disk refuses for now; until the lease expires there is time to try again
            except StateError:
                lost.set()
                stopping.set()
                return

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield stopping
    except (IncompleteError, KeyboardInterrupt):
        if lost.is_set():
            raise StateError(f"{folder.url}: another driver took this run over", hint="let it finish") from None
        raise
    finally:
        over.set()
        thread.join()
        lease.release()


@contextmanager
def stoppable(line: Line) -> Iterator[None]:
    """First Ctrl-C (or SIGTERM): drain and commit. The second: stop at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if line.stopping.is_set():
            raise KeyboardInterrupt
        line.stopping.set()
        line.talk.say("stopping: finishing what is in flight; once more to stop at once")

    before: dict[int, Callable[..., object] | int | None] = {
        number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    except IncompleteError:
        if line.stopping.is_set():
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
