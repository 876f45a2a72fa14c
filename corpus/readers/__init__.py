"""Readers of text that nobody here wrote. What cannot be read becomes a rejection with a reason, never a crash."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence

from corpus.config import SourceConfig
from corpus.document import Document, Rejection
from corpus.readers.files import Found, find_files, runs_of, states
from corpus.readers.jsonl import read_jsonl
from corpus.readers.machine import read_machine
from corpus.readers.parquet import read_parquet
from corpus.readers.plain import read_html, read_plain
from corpus.readers.rows import Intake
from corpus.readers.sample import sampled
from corpus.readers.warc import read_warc

__all__ = ["parts_of", "read_files", "read_source", "state_of"]

Rows = Iterator[Document | Rejection]
_READERS: dict[str, Callable[[Found, Intake], Rows]] = {
    "jsonl": read_jsonl,
    "parquet": read_parquet,
    "plain": read_plain,
    "html": read_html,
    "warc": read_warc,
}
PART_BYTES = 128 << 20  # of files, as they lie: about a minute of reading
_DATASET_NAME = re.compile(r"^[\w.-]+/[\w.-]+$")


def parts_of(name: str, config: SourceConfig) -> list[tuple[Found, ...]]:
    """Runs of files that can be read apart, in the order in which one reader would take them; one empty part where the
    source has to be read whole (a sample, a dataset, this machine). Depends on the files alone, not on who reads."""
    if config.kind != "files" or config.documents is not None:
        return [()]
    return runs_of(find_files(config.paths, name), PART_BYTES)


def read_source(name: str, config: SourceConfig, *, seed: int, files: Sequence[Found] = ()) -> Rows:
    """Documents and rejections of one source, in a fixed order, in bounded memory; of `files` alone where some are given.

    With `documents` set, a sample of that size that depends on `seed` and the rows alone. Raises `RecipeError` where
    the source's section names something that cannot be: no such file, no such column, text of another type.
    """
    intake = Intake(name, config)
    if config.documents is None:
        return _rows_of(files, intake) if files else _all_rows(intake)
    return sampled(lambda: _all_rows(intake), config.documents, seed)


def read_files(paths: Sequence[str], *, text_field: str = "text", licence: str = "unknown", language: str = "en",
               split: str = "train", domain_field: str | None = None, language_field: str | None = None) -> Rows:  # fmt: skip
    """The same for files named on a command line; `owner/name` that is no file is a Hugging Face dataset."""
    files = [path for path in paths if not _is_dataset(path)]
    if files:
        config = SourceConfig(kind="files", paths=tuple(files), text_field=text_field, licence=licence,
                              language=language, domain="", domain_field=domain_field, language_field=language_field)  # fmt: skip
        yield from read_source("files", config, seed=0)
    for path in paths:
        if _is_dataset(path):
            config = SourceConfig(kind="dataset", paths=(path,), text_field=text_field, licence=licence,
                                  language=language, split=split, domain="", domain_field=domain_field, language_field=language_field)  # fmt: skip
            yield from read_source(path, config, seed=0)


def state_of(paths: Sequence[str]) -> list[list[str]]:
    """What tells whether `read_files` would read the same again, as far as can be seen without reading."""
    return [
        *states([path for path in paths if not _is_dataset(path)]),
        *([path] for path in paths if _is_dataset(path)),
    ]


def _all_rows(intake: Intake) -> Rows:
    if intake.config.kind == "machine":
        yield from read_machine(intake)
    elif intake.config.kind == "dataset":
        from corpus.readers.dataset import read_dataset

        yield from read_dataset(intake)
    else:
        yield from _rows_of(find_files(intake.config.paths, intake.name), intake)


def _rows_of(files: Sequence[Found], intake: Intake) -> Rows:
    for found in files:
        yield from _READERS[found.kind](found, intake)


def _is_dataset(path: str) -> bool:
    return bool(_DATASET_NAME.match(path)) and not os.path.exists(path)
