"""Cleaning: the only stage that edits text, and it records what it did.

Every step is a no-op on its own result, and the whole is repeated until nothing changes, so a second pass changes
nothing. A line's first blanks stay: they are what makes code code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from corpus.soft_labels import text_hash
from filters.boilerplate import boilerplate_lines
from filters.config import CleanConfig
from filters.paragraphs import tidy_lines, without_repeats
from filters.sensitive import Kind, redact
from filters.unicode_text import mend_characters

PASSES = 4  # until nothing changes; real text takes two at most
CHANGES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        ("steps", pa.list_(pa.string())),
        ("before", pa.int32()),
        ("after", pa.int32()),
        ("before_hash", pa.string()),
    ]
)
"""What was done to a document: steps in order, characters before and after, and the hash of the text as it was."""


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
    documents: pa.Table, config: CleanConfig, masked: Mapping[str, Kind] | None = None
) -> tuple[pa.Table, pa.Table]:
    """The documents with their text cleaned, in the same order, and a row of schema `CHANGES` for each that changed.

    Findings of the kinds `masked` are replaced by the kind's name, in every document, those that are left alone too.
    """
    texts, rows = [], []
    kinds = zip(*(documents[name].to_pylist() for name in ("id", "text", "source", "domain")), strict=True)
    for name, text, source, domain in kinds:
        done = Cleaned(text, ()) if {source, domain} & set(config.leave) else clean_text(text, config)
        done = _masked(done, masked) if masked else done
        texts.append(done.text)
        if done.steps:
            rows.append((name, list(done.steps), len(text), len(done.text), text_hash(text)))
    place = documents.schema.get_field_index("text")
    changed = documents.set_column(
        place, documents.schema.field("text"), pa.array(texts, documents.schema.field("text").type)
    )
    columns = zip(*rows, strict=True) if rows else ([] for _ in CHANGES.names)
    return changed, pa.Table.from_arrays(
        [pa.array(list(column), field.type) for column, field in zip(columns, CHANGES, strict=True)], schema=CHANGES
    )


def _masked(done: Cleaned, kinds: Mapping[str, Kind]) -> Cleaned:
    text, counts = redact(done.text, kinds)
    return Cleaned(text, (*done.steps, *(f"mask.{kind}" for kind in counts)))


def step_counts(changes: pa.Table) -> Counter[str]:
    """In how many documents each step changed something."""
    return Counter(step for steps in changes["steps"].to_pylist() for step in steps)


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
