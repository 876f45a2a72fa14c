"""The tables of the documentation are those of the library: set HORNBOOK_UPDATE_GOLDEN=1 to write them anew."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from prompts.domain import LEVELS
from prompts.library import Library, load_library

PAGE = Path(__file__).resolve().parents[2] / "docs" / "add-a-domain.md"
BEGIN, END = "<!-- tables: begin -->\n", "<!-- tables: end -->\n"
TOLD = {
    "function_name": "the name of the function is drawn",
    "words": "three words are drawn",
}


def tables(library: Library) -> str:
    """Domains with topics by level, and forms with their lengths and ideas."""
    chinese = library.of("zh")
    lines = ["| domain | | kind | chapters | topics | " + " | ".join(LEVELS) + " |", "|---" * (5 + len(LEVELS)) + "|"]
    for name, domain in library.domains.items():
        levels = Counter(topic.level for topic in domain.leaves)
        cells = [
            f"`{name}`",
            f"{domain.title} · {chinese.domains[name].title}",
            domain.kind,
            len(domain.topics),
            len(domain.leaves),
        ]
        lines.append("| " + " | ".join(map(str, [*cells, *(levels[level] or "" for level in LEVELS)])) + " |")
    total = sum(len(domain.leaves) for domain in library.domains.values())
    lines += ["", f"{len(library.domains)} domains, {total:,} topics in each language.", ""]
    lines += ["| form | | kind | words | 字 | drawn or given | idea |", "|---" * 7 + "|"]
    for name, form in library.forms.items():
        twin = chinese.forms[name]
        assert form.words
        assert twin.characters
        given = "rewrites a document" if form.seed else TOLD.get(form.forced or "", "")
        cells = [f"`{name}`", f"{form.title} · {twin.title}", form.kind, "–".join(map(str, form.words)),
                 "–".join(map(str, twin.characters)), given, form.idea]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def test_the_tables_of_domains_and_forms_are_those_of_the_library() -> None:
    head, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    shown, _, tail = rest.partition(END)
    if os.environ.get("HORNBOOK_UPDATE_GOLDEN"):
        shown = tables(load_library())
        PAGE.write_text(head + BEGIN + shown + END + tail, "utf-8")
    assert shown == tables(load_library())
