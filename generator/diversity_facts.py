"""How alike the kept texts are, by template, domain and language, as tables for the report and the card."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from corpus.document import Document
from corpus.facts import Fact, table
from generator.diversity import GRAM, MEASURED, OPENING, measure

SHOWN_OPENING = 60  # characters
COLUMNS = ("documents", "words", f"same {OPENING}-word opening", "that opening", "same sentence skeleton",
           f"distinct {GRAM}-grams", "compression")  # fmt: skip
CAPTION = (
    "Shares are of documents. A character of a script without spaces is a word, and an opening has ten. Distinct n-grams "
    f"and compression (bytes over gzipped bytes) are over at most {MEASURED:,} words of a row, so that rows can be "
    "compared; the more a set repeats itself, the lower the one and the higher the other."
)


def diversity_facts(documents: Sequence[Document], redact: Callable[[str], str]) -> dict[str, Fact]:
    """Facts by name, of documents that were written. `redact` takes out of a text what nobody should read."""
    if not documents:
        return {}
    return {
        "diversity.languages": _table(
            "Diversity by language", "language", documents, lambda item: item.language, redact
        ),
        "diversity.templates": _table("Diversity by template", "template", documents, _template, redact),
        "diversity.domains": _table("Diversity by domain", "domain", documents, _domain, redact),
    }


def _table(
    title: str, name: str, documents: Sequence[Document], key: Callable[[Document], str], redact: Callable[[str], str]
) -> Fact:
    groups: dict[tuple[str, str], list[str]] = {}
    for item in documents:
        groups.setdefault((key(item), item.language), []).append(item.text)
    rows = []
    for (group, language), texts in sorted(groups.items()):
        found = measure(texts, language)
        rows.append([
            group, found.texts, found.words, round(found.opening_share, 3), redact(found.opening)[:SHOWN_OPENING],
            round(found.skeleton_share, 3), round(found.distinct, 3), round(found.compression, 2),
        ])  # fmt: skip
    return table(title, [name, *COLUMNS], rows, caption=CAPTION)


def _template(item: Document) -> str:
    return f"{item.language} · {item.form}"


def _domain(item: Document) -> str:
    return f"{item.language} · {item.domain}"
