"""What the generator asks of each document as it arrives: the recipe's cheap filters, and whether it is new."""

from __future__ import annotations

from collections.abc import Sequence

from corpus.document import Document, documents_table
from filters.chain import ALL, decide, score_table
from filters.config import FilterConfig
from filters.decontaminate import decontaminator
from filters.near_index import NearIndex
from generator.book import Accept

CHEAP = tuple(name for name in ALL if name != "quality")  # its model may not be trained yet when the teacher writes


def acceptance(config: FilterConfig) -> Accept:
    """A judge with a memory: of near copies the first to arrive stays. The filter stage decides again, over all text."""
    index, against = NearIndex(config.duplicates), decontaminator(config.decontaminate)

    def accept(documents: Sequence[Document]) -> list[tuple[str, str]]:
        table = documents_table(documents)
        rejected = decide(table, score_table(table, scorers=CHEAP, against=against), config)
        reasons = {row["id"]: (row["reason"], row["detail"]) for row in rejected.to_pylist()}
        fresh = [document for document in documents if document.id not in reasons]
        copies = index.add_or_find([item.id for item in fresh], [item.text for item in fresh])
        reasons |= {item.id: ("duplicate.near", f"of {copy}") for item, copy in zip(fresh, copies, strict=True) if copy}
        return [reasons.get(document.id, ("", "")) for document in documents]

    return accept


def warm(config: FilterConfig) -> None:
    """Judge one text and forget it, so that models and packages are loaded before a teacher waits for a verdict."""
    acceptance(config)([Document("warm", "One sentence follows another. " * 20, "synthetic", "unknown", "teacher")])


def accept_all(documents: Sequence[Document]) -> list[tuple[str, str]]:
    """With `generate.accept: false`: the filter stage alone decides."""
    return [("", "")] * len(documents)
