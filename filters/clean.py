"""Cleaning: the only stage that edits text, and it records what it did.

Every step is a no-op on its own result, and the whole is repeated until nothing changes, so a second pass changes
nothing. A line's first blanks stay: they are what makes code code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from corpus.soft_labels import text_hash
from filters.boilerplate import boilerplate_lines
from filters.config import CleanConfig
from filters.paragraphs import tidy_lines, without_repeats
from filters.sensitive import redact_all
from filters.sensitive_kinds import Kind
from filters.unicode_text import mend_characters

PASSES = 4  # until nothing changes; real text takes two at most
CHANGES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        ("steps", pa.list_(pa.string())),
        ("before", pa.int32()),
        ("after", pa.int32()),
        ("before_hash", pa.string()),
        ("masked", pa.map_(pa.string(), pa.int32())),
    ]
)
"""What was done to a document: steps in order, characters before and after, the hash of the text as it was, and how many
findings of each sensitive kind were replaced."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text after cleaning, and the steps that changed it; none where it was clean."""

    text: str
    steps: tuple[str, ...]


def clean_text(text: str, config: CleanConfig) -> Cleaned:
    """The text cleaned as `config` says."""
    steps: list[str] = []
    for _ in range(PASSES):
        before = text
        for name, changed in _steps(text, config):
            text = changed
            if name not in steps:
                steps.append(name)
        if text == before:
            break
    return Cleaned(text, tuple(steps))


def clean_table(
    documents: pa.Table, config: CleanConfig, kinds: Mapping[str, Kind] | None = None
) -> tuple[pa.Table, pa.Table]:
    """The documents with their text cleaned, in the same order, and a row of schema `CHANGES` for each that changed.

    Findings of the sensitive `kinds` are replaced by the kind's name, in every document, those that are left alone too.
    """
    texts = documents["text"].to_pylist()
    names = list(zip(documents["source"].to_pylist(), documents["domain"].to_pylist(), strict=True))
    done = [
        Cleaned(text, ()) if _left(config, *name) else clean_text(text, config)
        for text, name in zip(texts, names, strict=True)
    ]
    masked = redact_all(pl.Series([row.text for row in done], dtype=pl.String), kinds) if kinds else {}
    for place, (text, counts) in masked.items():
        again = Cleaned(text, ()) if _left(config, *names[place]) else clean_text(text, config)  # a mask is shorter
        steps = dict.fromkeys((*done[place].steps, *(f"mask.{kind}" for kind in counts), *again.steps))
        done[place] = Cleaned(again.text, tuple(steps))
    rows = [
        (name, list(row.steps), len(text), len(row.text), text_hash(text), list(masked.get(place, ("", {}))[1].items()))
        for place, (name, text, row) in enumerate(zip(documents["id"].to_pylist(), texts, done, strict=True))
        if row.steps
    ]
    place = documents.schema.get_field_index("text")
    changed = documents.set_column(
        place, documents.schema.field("text"), pa.array([row.text for row in done], documents.schema.field("text").type)
    )
    columns = zip(*rows, strict=True) if rows else ([] for _ in CHANGES.names)
    return changed, pa.Table.from_arrays(
        [pa.array(list(column), field.type) for column, field in zip(columns, CHANGES, strict=True)], schema=CHANGES
    )


def _left(config: CleanConfig, source: str, domain: str) -> bool:
    return source in config.leave or domain in config.leave


def step_counts(changes: pa.Table) -> Counter[str]:
    """In how many documents each step changed something."""
    return Counter(step for steps in changes["steps"].to_pylist() for step in steps)


def mask_counts(changes: pa.Table) -> Counter[str]:
    """How many findings of each kind were replaced."""
    total = Counter[str]()
    for row in changes["masked"].to_pylist():
        total.update(dict(row))
    return total


def _steps(text: str, config: CleanConfig) -> Iterator[tuple[str, str]]:
    """(step, text after it) for each step that changes the text."""
    if config.characters:
        text, named = mend_characters(text)
        yield from ((name, text) for name in named)
    if config.boilerplate:
        text, kinds = _without_boilerplate(text)
        yield from ((name, text) for name in kinds)
    for name, wanted, step in (("repeats", config.repeats, without_repeats), ("blanks", config.any, tidy_lines)):
        changed = step(text) if wanted else text
        if changed != text:
            yield name, changed
            text = changed


def _without_boilerplate(text: str) -> tuple[str, list[str]]:
    lines = text.split("\n")
    found = boilerplate_lines(lines)
    kinds = sorted({f"boilerplate.{kind}" for kind in found if kind})
    return (
        ("\n".join(line for line, kind in zip(lines, found, strict=True) if not kind), kinds) if kinds else (text, [])
    )
