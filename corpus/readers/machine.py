"""The source that every machine has: text that came with Python and the installed packages, written by real people.

It stands in for web text in the demo and the tests: noisy in the way the web is (tables of badges, changelogs, the
same licence two hundred times), available offline, and each page with the licence of its package. Its content, and so
its ids, depend on what is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from corpus.document import Document, Rejection
from corpus.errors import RecipeError
from corpus.readers.packages import Page, package_pages
from corpus.readers.rows import Intake
from corpus.readers.stdlib import docstrings, python_code, python_docs

PACKAGE_LABELS = ("package-readme", "changelog", "licence-text")
_PYTHON_PARTS: dict[str, Callable[[], Iterator[Page]]] = {
    "python-docs": python_docs,
    "docstrings": docstrings,
    "python-code": python_code,
}
LABELS = (*PACKAGE_LABELS, *_PYTHON_PARTS)


def read_machine(intake: Intake) -> Iterator[Document | Rejection]:
    """Pages of the parts that `paths` names (labels of `LABELS`; all when empty), each labelled with its part."""
    wanted = frozenset(intake.config.paths or LABELS)
    if unknown := sorted(wanted - set(LABELS)):
        raise RecipeError(
            f"source {intake.name!r} of kind machine has no part {unknown[0]!r}",
            hint=f"`paths` may hold: {', '.join(LABELS)}",
        )
    for page in _pages(wanted):
        yield intake.text(page.text, page.where, page.piece, licence=page.licence, domain=page.label,
                          origin=f"{page.where}#{page.piece}")  # fmt: skip


def _pages(wanted: frozenset[str]) -> Iterator[Page]:
    yield from package_pages(wanted)
    for label, part in _PYTHON_PARTS.items():
        if label in wanted:
            yield from part()
