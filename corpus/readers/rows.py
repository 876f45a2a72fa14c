"""A foreign row becomes a `Document`, or a `Rejection` that says why not. Nothing in between."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpus.config import SourceConfig
from corpus.document import Document, Rejection
from corpus.ids import document_id

STAGE = "read"
LICENCE_FIELDS = ("licence", "license", "spdx")
ORIGIN_FIELDS = ("url", "uri", "source_url", "id")
DATE_FIELDS = ("date", "timestamp", "created", "crawl_date")
FIELD_LIMIT = 2_000  # characters of a licence, URL or date; longer ones are not what their name says


@dataclass(frozen=True, slots=True)
class Intake:
    """What every reader needs to know about its source: its name and its section of the recipe.

    The id of a row is a function of (source, file label, row), never of where the file lies. A row's own id goes
    into the origin: foreign ids repeat, ours may not.
    """

    name: str
    config: SourceConfig

    def row(self, row: Mapping[str, Any], label: str, locator: object) -> Document | Rejection:
        """Take text, licence, URL and date from a row of named fields."""
        field = self.config.text_field
        if field not in row:
            return self.reject(label, locator, "no_text_field", f"no field {field!r}; there is: {_names(row)}")
        text = row[field]
        if not isinstance(text, str):
            return self.reject(label, locator, "text_not_a_string", f"{field!r} is of type {type(text).__name__}")
        found = {key: _first(row, names, field) for key, names in _FIELDS.items()}
        origin = found["origin"]
        if origin and "://" not in origin:
            origin = f"{label}#{origin}"
        domain, language = (
            _plain(row.get(name)) if name else "" for name in (self.config.domain_field, self.config.language_field)
        )
        return self.text(text, label, locator, licence=found["licence"], origin=origin, date=found["date"],
                         domain=domain, language=language)  # fmt: skip

    def text(self, text: str, label: str, locator: object, *, licence: str = "", origin: str = "", date: str = "",
             domain: str = "", language: str = "") -> Document | Rejection:  # fmt: skip
        """Take a bare text; empty arguments fall back to the source's section."""
        if not text.strip():
            return self.reject(label, locator, "empty")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            return self.reject(label, locator, "lone_surrogate", f"at character {error.start}")
        return Document(
            id=document_id(self.name, label, locator),
            text=text,
            source=self.name,
            licence=licence or self.config.licence,
            origin=origin or f"{label}:{locator}",
            language=language or self.config.language,
            domain=domain or self.config.domain,
            date=date,
        )

    def reject(self, label: str, locator: object, reason: str, detail: str = "") -> Rejection:
        """A row that is not taken; the detail begins with `file:row`."""
        where = f"{label}:{locator}"
        return Rejection(
            id=document_id(self.name, label, locator),
            stage=STAGE,
            reason=reason,
            detail=f"{where}: {detail}" if detail else where,
            source=self.name,
        )


_FIELDS = {"licence": LICENCE_FIELDS, "origin": ORIGIN_FIELDS, "date": DATE_FIELDS}


def _first(row: Mapping[str, Any], names: tuple[str, ...], text_field: str) -> str:
    for name in names:
        value = row.get(name)
        if isinstance(value, int) and names is LICENCE_FIELDS:
            continue  # a number of somebody's own table, and no licence
        if name != text_field and (plain := _plain(value)):
            return plain
    return ""


def _plain(value: Any) -> str:
    """A short clean string, or nothing: a wrong type in a side column is no reason to lose the text."""
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, str) for item in value):
        value = " AND ".join(value)
    if not isinstance(value, str) or len(value) > FIELD_LIMIT or not value.isprintable():
        return ""
    return value.strip()


def _names(row: Mapping[str, Any]) -> str:
    return ", ".join(sorted(str(name)[:40] for name in list(row)[:12])) or "nothing"
