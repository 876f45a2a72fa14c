"""train: one tokenizer for all arms, then one student an arm at equal tokens, side by side where there are cores."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import IncompleteError, SetupError
from corpus.facts import curves, table
from corpus.manifest import Balance, Manifest, table_of
from corpus.shards import write_partition
from corpus.store import Store
from ray_jobs.arms import ArmReporter, ArmWatch, asked_to_stop
from ray_jobs.line import Line
from ray_jobs.passes import InProcess
from ray_jobs.stage import Made, Stage
from ray_jobs.team import on_a_team
from trainer.config import StudentConfig

STUDENTS = "students"
TOKENIZER = "tokenizer"
PARAMETERS = pa.schema([("arm", pa.string()), ("folder", pa.string()), ("tokens", pa.int64()), ("parameters", pa.int64()),
                        ("seconds", pa.float64()), ("last_loss", pa.float64())])  # fmt: skip


@dataclass(frozen=True)
class Task:
    """One arm to train, by a worker that knows nothing else."""

    arm: str
    config: StudentConfig
    texts: list[str]
    sources: list[str]
    tokenizer: str
    folder: str


@dataclass(frozen=True)
class Trained:
    """What came of an arm."""

    arm: str
    folder: str
    curve: list[tuple[float, float]]
    tokens: int
    parameters: int
    seconds: float


def stage(line: Line, blend: Manifest) -> Stage:
    """The stage of this recipe."""
    assert line.recipe.student
    config = {
        "student": line.recipe.student.identity(),
        "shape": line.recipe.student.model_dump(mode="json", include={"tokens", "vocab_size", "model"}),
    }
    return Stage("train", config, {"blend": blend}, lambda store: _work(line, blend, store))


def folder_of(arm: str) -> str:
    """The arm's name as a folder's."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in arm).split())


def _work(line: Line, blend: Manifest, store: Store) -> Made:
    if store.local is None:
        raise SetupError(
            "students are trained on a local or shared disk", hint="set `store` to a folder for a recipe with `student`"
        )
    mixes = table_of(line.folder.child("blend"), blend, "mix")
    home = store.local
    tokenizer = _tokenizer(line, mixes, home)
    tasks = [_task(line, arm, mixes, tokenizer, home) for arm in dict.fromkeys(mixes["arm"].to_pylist())]
    trained: list[Trained] = []
    watch = ArmWatch(line, [Path(task.folder) for task in tasks], tasks[0].config.tokens)
    for result in _runs(line, tasks, lambda: watch.look(len(trained))):
        if result is None:
            continue  # stopped, after a checkpoint; so are the others, which are waited for
        trained.append(result)
        line.talk.say(
            f"train      {result.arm}: {result.tokens:,} tokens in {result.seconds:.0f} s, last loss {result.curve[-1][1]:.2f}"
        )
    line.check()
    rows = [{"arm": item.arm, "folder": item.folder, "tokens": item.tokens, "parameters": item.parameters,
             "seconds": item.seconds, "last_loss": item.curve[-1][1]} for item in trained]  # fmt: skip
    return Made(
        partitions=(write_partition(store, "students", 0, pa.Table.from_pylist(rows, schema=PARAMETERS)),),
        balance=Balance(taken=mixes.num_rows, kept=mixes.num_rows),
        facts={
            "loss": curves("Training loss", "tokens", "nats per token", {item.arm: item.curve for item in trained}),
            "student": table("Students", ["arm", "parameters", "tokens", "seconds"], [[i.arm, i.parameters, i.tokens, round(i.seconds, 1)] for i in trained]),
        },
        totals={"students": len(trained), "tokens": trained[0].tokens},
    )  # fmt: skip


def _tokenizer(line: Line, mixes: pa.Table, home: Path) -> Path:
    """Trained on the text of all arms alike, so that no arm has a tokenizer made for it."""
    from trainer.tokenizer import train_tokenizer

    assert line.recipe.student
    target = home / TOKENIZER
    if not (target / "tokenizer.json").is_file():
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix=".tmp-") as work:
            train_tokenizer(
                mixes.sort_by("id")["text"].to_pylist(), line.recipe.student.vocab_size, Path(work) / TOKENIZER
            )
            (Path(work) / TOKENIZER).rename(target)
    return target


def _task(line: Line, arm: str, mixes: pa.Table, tokenizer: Path, home: Path) -> Task:
    assert line.recipe.student
    mix = mixes.filter(pc.equal(mixes["arm"], arm))
    texts, sources = mix["text"].to_pylist(), mix["source"].to_pylist()
    return Task(arm, line.recipe.student, texts, sources, str(tokenizer), str(home / STUDENTS / folder_of(arm)))


def _runs(line: Line, tasks: list[Task], watch: Callable[[], None]) -> Iterator[Trained | None]:
    """Arms side by side, each on a worker; or one after the other, each on a team."""
    workers = tasks[0].config.workers
    if workers == 1:
        yield from line.passes.map(train_one, tasks, watch)
        return
    for task in tasks:
        team = partial(on_a_team, train_one, line.recipe.run, workers, Path(task.folder))
        yield from InProcess().map(team, [task], watch)


def train_one(task: Task) -> Trained | None:
    """Pack and train an arm, from its last checkpoint where it has one. None when it was asked to stop."""
    from trainer.packing import pack
    from trainer.team import current_team
    from trainer.train import train

    folder, team = Path(task.folder), current_team()
    if asked_to_stop(folder):
        return None
    if team.leads:
        pack(task.texts, Path(task.tokenizer), folder / "packed", sources=task.sources)
    team.wait()
    reporter = ArmReporter(folder)
    try:
        result = train(task.config, folder / "packed", Path(task.tokenizer), folder, progress=reporter.progress,
                       should_stop=reporter.should_stop)  # fmt: skip
    except IncompleteError:
        return None
    return Trained(task.arm, task.folder, result.curve, result.tokens, result.parameters, result.seconds)
