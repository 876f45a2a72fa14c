"""The rows that flow: documents with their lineage, and rejections with their reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from operator import attrgetter
from typing import Any

import pyarrow as pa

DETAIL_LIMIT = 500  # characters of `Rejection.detail`


@dataclass(frozen=True, slots=True)
class Lineage:
    """How a written document came to be; enough to render its prompt again byte for byte."""

    slot_id: str
    request_key: str
    template_hash: str
    teacher: str  # model@revision
    finish_reason: str  # stop | length
    attempt: int = 0
    choice: int = 0
    part: int = 0
    seed_ids: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()  # steps applied to the reply, in order, such as "trim:sentence"
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """One text with where it comes from and under which licence it may be used."""

    id: str
    text: str
    source: str  # a recipe's source name, or "synthetic"
    licence: str  # SPDX id where there is one, "unknown" where nobody said
    origin: str  # URL or path with locator; "teacher" for a written one
    language: str = "en"
    domain: str = ""
    topic: str = ""
    form: str = ""
    audience: str = ""
    date: str = ""
    tokens: int = 0  # by the recipe's one named tokenizer
    lineage: Lineage | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """One row that was not kept: `reason` is short and stable, `detail` at most 500 characters."""

    id: str
    stage: str
    reason: str
    detail: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "detail", self.detail[:DETAIL_LIMIT])


LINEAGE = pa.struct(
    [
        ("slot_id", pa.string()),
        ("request_key", pa.string()),
        ("template_hash", pa.string()),
        ("teacher", pa.string()),
        ("finish_reason", pa.string()),
        ("attempt", pa.int32()),
        ("choice", pa.int32()),
        ("part", pa.int32()),
        ("seed_ids", pa.list_(pa.string())),
        ("parents", pa.list_(pa.string())),
        ("operators", pa.list_(pa.string())),
        ("prompt_tokens", pa.int32()),
        ("completion_tokens", pa.int32()),
    ]
)

DOCUMENTS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("text", pa.large_string(), nullable=False),
        ("source", pa.string()),
        ("licence", pa.string()),
        ("origin", pa.string()),
        ("language", pa.string()),
        ("domain", pa.string()),
        ("topic", pa.string()),
        ("form", pa.string()),
        ("audience", pa.string()),
        ("date", pa.string()),
        ("tokens", pa.int32()),
        ("lineage", LINEAGE),
    ]
)

REJECTIONS = pa.schema([(item.name, pa.string()) for item in fields(Rejection)])


def documents_table(rows: Iterable[Document]) -> pa.Table:
    """Rows to an Arrow table of schema `DOCUMENTS`, a column at a time: as dicts they would cost five times as much."""
    held = list(rows)
    columns = [pa.array(map(_cell(item.name), held), item.type, size=len(held)) for item in DOCUMENTS]
    return pa.Table.from_arrays(columns, schema=DOCUMENTS)


def _cell(name: str) -> Callable[[Document], Any]:
    if name == "lineage":
        return lambda row: None if row.lineage is None else asdict(row.lineage)
    return attrgetter(name)


def rejections_table(rows: Iterable[Rejection]) -> pa.Table:
    """Rows to an Arrow table of schema `REJECTIONS`."""
    return pa.Table.from_pylist([asdict(row) for row in rows], schema=REJECTIONS)


def documents_from(table: pa.Table) -> list[Document]:
    """An Arrow table of schema `DOCUMENTS` (more columns are ignored) back to rows."""
    names = [item.name for item in fields(Document)]
    return [_document(row) for row in table.select(names).to_pylist()]


def _document(row: dict) -> Document:
    lineage = row.pop("lineage")
    if lineage is not None:
        for name in ("seed_ids", "parents", "operators"):
            lineage[name] = tuple(lineage[name] or ())
        lineage = Lineage(**lineage)
    return Document(**row, lineage=lineage)
