"""Datasets by their Hugging Face name, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from corpus.document import Document, Rejection
from corpus.errors import RecipeError
from corpus.readers.rows import Intake


def read_dataset(intake: Intake) -> Iterator[Document | Rejection]:
    """Rows of one split, in order; nothing is downloaded beyond what is read, and no code of the dataset is run."""
    name = _name(intake)
    for number, row in enumerate(_rows(name, intake)):
        yield intake.row(row, name, number)


def _name(intake: Intake) -> str:
    if len(intake.config.paths) != 1:
        raise RecipeError(
            f"source {intake.name!r} is a dataset and names {len(intake.config.paths)} of them",
            hint="give exactly one name in `paths`, such as HuggingFaceFW/fineweb-edu",
        )
    return intake.config.paths[0]


def _rows(name: str, intake: Intake) -> Iterator[dict[str, Any]]:
    import datasets

    from corpus.hub import hub_errors

    config = intake.config
    with hub_errors(name), _named(name, intake):
        rows = datasets.load_dataset(name, config.config, split=config.split, revision=config.revision, streaming=True)
        yield from rows


@contextmanager
def _named(name: str, intake: Intake) -> Iterator[None]:
    config = intake.config
    try:
        yield
    except (FileNotFoundError, ValueError) as error:  # no such dataset, config or split, as the library says it
        raise RecipeError(
            f"source {intake.name!r}: dataset {name} cannot be read as config {config.config!r}, "
            f"split {config.split!r}, revision {config.revision!r}: {error}"
        ) from error
