"""Students on plain files: train, evaluate, export."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.document import Document
from corpus.errors import RecipeError, StateError
from corpus.readers import read_files
from ray_jobs.label_files import teacher_folder
from ray_jobs.recipe import RunConfig
from ray_jobs.team import on_a_team
from trainer.config import TRIMMED, StudentConfig
from trainer.files import whole_folder

if TYPE_CHECKING:
    from trainer.train import Progress

FORMS = ("transformers", "onnx")


def train_files(files: Sequence[str], out: Path, config: StudentConfig, labels: Sequence[Path] = ()) -> str:
    """Train on the text of files; the exported model's folder. `labels`: files of `hornbook teacher label`."""
    teacher = str(teacher_folder(config.distil.teacher)) if config.distil and config.distil.teacher else ""
    tokenizer = _tokenizer(config, out, lambda: texts_of(files), teacher, labels)
    task = Task(tuple(files), config, str(tokenizer), str(out), tuple(map(str, labels)), teacher)
    if config.workers == 1:
        return _train(task)
    return on_a_team(_train, RunConfig(workers=config.workers), config.workers, out, task)


@dataclass(frozen=True)
class Task:
    """One student to train, by a worker that knows nothing else."""

    files: tuple[str, ...]
    config: StudentConfig
    tokenizer: str
    folder: str
    labels: tuple[str, ...] = ()
    teacher: str = ""


def _train(task: Task) -> str:
    from trainer.fit import fit

    out, tokenizer, labels = Path(task.folder), Path(task.tokenizer), [Path(file) for file in task.labels]
    teacher = Path(task.teacher) if task.teacher else None
    read = documents_of(task.files)
    made = fit(
        task.config, [row.text for row in read], tokenizer, out, sources=[row.source for row in read],
        languages=[row.language for row in read], labels=labels, teacher=teacher, progress=tell,
    )  # fmt: skip
    return str(made.model)


def tell(progress: Progress) -> None:
    """One line on stderr."""
    left = time.strftime("%H:%M:%S", time.gmtime(progress.seconds_left))
    print(
        f"step {progress.step}/{progress.steps}  loss {progress.loss:.3f}  {progress.tokens_per_second:,.0f} tokens/s"
        f"  {progress.mfu:.0%} of the processor's peak  {left} left",
        file=sys.stderr,
    )
    for name, (bits, change) in progress.watched.items():
        print(f"       {name}: {bits:.3f} bits per byte, {change:+.1%} since the start", file=sys.stderr)


def _tokenizer(
    config: StudentConfig, out: Path, texts: Callable[[], list[str]], teacher: str, labels: Sequence[Path]
) -> Path:
    """The folder of the tokenizer: what the weights came with, one that is named, the teacher's, or a trained one."""
    from trainer.taught import trim_for
    from trainer.tokenizer import train_tokenizer

    home = out / "tokenizer"
    if config.tokenizer == TRIMMED:
        if not teacher:
            raise RecipeError("tokenizer `teacher-trimmed`: whose?", hint="--set distil.teacher=FOLDER, or --teacher")
        return trim_for(Path(teacher), texts(), labels, config.vocab_size, home)
    if config.init or config.tokenizer != "mix":
        return Path(config.init or config.tokenizer)
    if not (home / "tokenizer.json").is_file():
        train_tokenizer(texts(), config.vocab_size, home)
    return home


def export_student(student: Path, out: Path, form: str = "transformers") -> str:
    """The model of a finished student, whole or not at all: as it is for transformers and vLLM, or as ONNX.

    Raises `RecipeError` for another form, `StateError` when training has not finished.
    """
    if form not in FORMS:
        raise RecipeError(
            f"no format {form!r}", hint=f"known: {', '.join(FORMS)}; GGUF: hornbook student compress --how gguf-q8"
        )
    source = student / "model"
    if not (source / "config.json").is_file():
        raise StateError(f"{student}: training has not finished there", hint="hornbook student train")
    if form == "onnx":
        from trainer.onnx_file import write_onnx

        return str(write_onnx(source, out))
    with whole_folder(out) as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True)
    return str(out)


def texts_of(files: Sequence[str]) -> list[str]:
    """The texts of all readable documents. Raises `RecipeError` when there is none."""
    return [row.text for row in documents_of(files)]


def documents_of(files: Sequence[str]) -> list[Document]:
    """All readable documents, in the language that a row's `language` names; where plain files are named, each is a source
    of its own.

    Raises `RecipeError` when there is none.
    """
    if all(Path(file).is_file() for file in files):
        found = [replace(row, source=Path(file).name) for file in sorted(set(files)) for row in _read([file])]
    else:
        found = list(_read(files))
    if not found:
        raise RecipeError("no readable document in these files")
    return found


def _read(files: Sequence[str]) -> Iterator[Document]:
    return (row for row in read_files(files, language_field="language") if isinstance(row, Document))
