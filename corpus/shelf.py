"""What lies in a publication, counted from its rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

SYNTHETIC = "synthetic"
UNKNOWN = ("unknown", "")


@dataclass
class Shelf:
    """Totals of the published documents; `count` adds a table of schema `DOCUMENTS`."""

    rows: int = 0
    tokens: int = 0
    characters: int = 0
    written: int = 0
    unknown_licence: int = 0
    cut: int = 0  # replies that ended at the token limit
    prompt_tokens: int = 0
    completion_tokens: int = 0
    rejected: int = 0
    labelled: dict[str, int] = field(default_factory=dict)  # split -> documents with soft labels
    dataset_hash: str = ""
    languages: set[str] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)
    forms: set[str] = field(default_factory=set)
    templates: set[str] = field(default_factory=set)
    teachers: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    sources: dict[tuple[str, str], tuple[int, int]] = field(
        default_factory=dict
    )  # (source, licence) -> documents, tokens
    configs: dict[str, dict[str, int]] = field(default_factory=dict)  # config -> split -> documents

    def count(self, table: pa.Table) -> None:
        """Add the documents of a table."""
        self.rows += table.num_rows
        self.tokens += pc.sum(table["tokens"]).as_py() or 0
        self.characters += pc.sum(pc.utf8_length(table["text"])).as_py() or 0
        self.languages |= _named(table, "language")
        self.domains |= set(table["domain"].to_pylist())
        self.forms |= _named(table, "form")
        self._count_sources(table)
        self._count_lineage([row for row in table["lineage"].to_pylist() if row is not None])

    def splits(self) -> dict[str, int]:
        """Documents of each split, over all configs; splits without a row are absent."""
        total: Counter[str] = Counter()
        for splits in self.configs.values():
            total.update(splits)
        return dict(total)

    def _count_sources(self, table: pa.Table) -> None:
        columns = (table[name].to_pylist() for name in ("source", "licence", "tokens"))
        for source, licence, tokens in zip(*columns, strict=True):
            documents, before = self.sources.get((source, licence), (0, 0))
            self.sources[source, licence] = (documents + 1, before + (tokens or 0))
            self.written += source == SYNTHETIC
            self.unknown_licence += licence in UNKNOWN

    def _count_lineage(self, rows: list[dict]) -> None:
        self.templates |= {row["template_hash"] for row in rows}
        self.teachers.update(row["teacher"] for row in rows)
        self.endings.update(row["finish_reason"] for row in rows)
        self.cut += sum(row["finish_reason"] == "length" for row in rows)
        self.prompt_tokens += sum(row["prompt_tokens"] or 0 for row in rows)
        self.completion_tokens += sum(row["completion_tokens"] or 0 for row in rows)


def _named(table: pa.Table, column: str) -> set[str]:
    return {value for value in pc.unique(table[column]).to_pylist() if value}
