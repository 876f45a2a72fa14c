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
from corpus.facts import Fact, curves, table
from corpus.manifest import Balance, Manifest, table_of
from corpus.shards import write_partition
from corpus.store import Store
from ray_jobs.arms import ArmReporter, ArmWatch, asked_to_stop
from ray_jobs.line import Line
from ray_jobs.passes import InProcess
from ray_jobs.stage import Made, Stage
from ray_jobs.student_labels import MixLabels, mix_labels, teacher_home
from ray_jobs.team import on_a_team
from trainer.config import TRIMMED, StudentConfig

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
    languages: list[str] | None
    tokenizer: str
    folder: str
    labels: tuple[str, ...] = ()
    teacher: str = ""


@dataclass(frozen=True)
class Trained:
    """What came of an arm."""

    arm: str
    folder: str
    curve: list[tuple[float, float]]
    tokens: int
    parameters: int
    seconds: float
    by: dict[str, dict[str, list[list[float]]]]
    watched: dict[str, list[list[float]]]


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
    assert line.recipe.student
    labels = mix_labels(line, mixes, home) if line.recipe.student.distil else None
    tokenizer = _tokenizer(line, mixes, home, labels)
    tasks = [_task(line, arm, mixes, tokenizer, home, labels) for arm in dict.fromkeys(mixes["arm"].to_pylist())]
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
            **_by_group(trained),
            **_watched(trained),
            **(labels.facts if labels else {}),
            "student": table("Students", ["arm", "parameters", "tokens", "seconds"], [[i.arm, i.parameters, i.tokens, round(i.seconds, 1)] for i in trained]),
        },
        totals={"students": len(trained), "tokens": trained[0].tokens},
    )  # fmt: skip


def _by_group(trained: list[Trained]) -> dict[str, Fact]:
    """The loss by source and by language of the last arm, the one with all parts."""
    arm = trained[-1]
    return {
        f"loss.{axis}": curves(
            f"Training loss by {axis}: {arm.arm}",
            "tokens",
            "nats per token",
            {name: [(a, b) for a, b in points] for name, points in found.items() if points},
        )
        for axis, found in arm.by.items()
    }


def _watched(trained: list[Trained]) -> dict[str, Fact]:
    """Every panel of `student.watch`, a curve an arm."""
    return {
        f"watched.{name}": curves(
            f"Held out: {name}",
            "tokens",
            "bits per byte",
            {item.arm: [(a, b) for a, b in item.watched[name]] for item in trained},
        )
        for name in trained[0].watched
    }


def _tokenizer(line: Line, mixes: pa.Table, home: Path, labels: MixLabels | None) -> Path:
    """Made for the text of all arms alike, so that no arm has one of its own; or the one that the recipe names."""
    from trainer.taught import trim_for
    from trainer.tokenizer import train_tokenizer

    assert line.recipe.student
    target, config = home / TOKENIZER, line.recipe.student
    if config.init or config.tokenizer not in ("mix", TRIMMED):
        return Path(config.init or config.tokenizer)
    if config.tokenizer == TRIMMED:
        texts = list(dict.fromkeys(mixes.sort_by("id")["text"].to_pylist()))
        return trim_for(teacher_home(line.recipe), texts, [labels.file] if labels else [], config.vocab_size, target)
    if not (target / "tokenizer.json").is_file():
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix=".tmp-") as work:
            train_tokenizer(mixes.sort_by("id")["text"].to_pylist(), config.vocab_size, Path(work) / TOKENIZER)
            (Path(work) / TOKENIZER).rename(target)
    return target


def _task(
    line: Line, arm: str, mixes: pa.Table, tokenizer: Path, home: Path, labels: MixLabels | None
) -> Task:  # fmt: skip
    config = line.recipe.student
    assert config
    mix = mixes.filter(pc.equal(mixes["arm"], arm))
    texts, sources = mix["text"].to_pylist(), mix["source"].to_pylist()
    files = labels.of(mix) if labels else ()
    if (
        config.distil and not files and config.distil.targets != "full"
    ):  # nothing to distil; its windows stay as the others'
        config = config.model_copy(
            update={"distil": None, "packing": "documents" if config.whole_documents else "stream"}
        )
    if line.recipe.blend.order != "shuffled":
        config = config.model_copy(update={"order": "given"})
    teacher = str(teacher_home(line.recipe)) if config.distil and config.distil.targets == "full" else ""
    folder = str(home / STUDENTS / folder_of(arm))
    languages = mix["language"].to_pylist() if "language" in mix.column_names else None
    return Task(arm, config, texts, sources, languages, str(tokenizer), folder, files, teacher)


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
    from trainer.fit import fit

    folder = Path(task.folder)
    if asked_to_stop(folder):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    reporter = ArmReporter(folder)
    try:
        result = fit(
            task.config, task.texts, Path(task.tokenizer), folder, sources=task.sources, languages=task.languages,
            labels=[Path(file) for file in task.labels], teacher=Path(task.teacher) if task.teacher else None, progress=reporter.progress, should_stop=reporter.should_stop,
        )  # fmt: skip
    except IncompleteError:
        return None
    return Trained(
        task.arm, task.folder, result.curve, result.tokens, result.parameters, result.seconds, result.by, result.watched
    )
