"""Plain text and HTML: one file, one document."""

from __future__ import annotations

import re
from collections.abc import Iterator

from corpus.document import Document, Rejection
from corpus.readers.files import Found
from corpus.readers.rows import Intake
from corpus.readers.streams import UnreadableError, whole

DEPTH_LIMIT = 1_000  # nested tags; 59 is the deepest of 67 real pages, and extraction is quadratic in the depth
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Tags that need no end tag say nothing about depth.
_SINGLE = frozenset({"area", "br", "col", "dd", "dt", "hr", "img", "input", "li", "link", "meta", "option", "p", "path",
                     "source", "td", "th", "tr", "wbr"})  # fmt: skip
_BOM = "\ufeff"


def read_plain(found: Found, intake: Intake) -> Iterator[Document | Rejection]:
    """The text of a file. One with NUL bytes is an image, an archive or UTF-16, and is refused rather than guessed."""
    text = _text(found, intake)
    yield text if isinstance(text, Rejection) else intake.text(text, found.label, 0, origin=found.label)


def read_html(found: Found, intake: Intake) -> Iterator[Document | Rejection]:
    """The main text of a page, without menus, scripts and banners."""
    html = _text(found, intake)
    yield html if isinstance(html, Rejection) else html_row(html, found.label, 0, intake, origin=found.label)


def html_row(html: str, label: str, locator: object, intake: Intake, **facts: str) -> Document | Rejection:
    """Main content of an HTML page as text, by Resiliparse's rules; `facts` go to `Intake.text`."""
    from resiliparse.extract.html2text import extract_plain_text

    if _too_deep(html):
        return intake.reject(label, locator, "nested_too_deep", f"more than {DEPTH_LIMIT:,} tags in one another")
    text = extract_plain_text(html, main_content=True, preserve_formatting=True, alt_texts=False)
    return intake.text(text, label, locator, **facts)


def _too_deep(html: str) -> bool:
    depth = 0
    for tag in _TAG.finditer(html):
        if tag.group(2).lower() not in _SINGLE:
            depth = max(depth - 1, 0) if tag.group(1) else depth + 1
            if depth > DEPTH_LIMIT:
                return True
    return False


def _text(found: Found, intake: Intake) -> str | Rejection:
    try:
        data = whole(found.url)
        if b"\0" in data:
            return intake.reject(found.label, 0, "not_text", "the file holds NUL bytes")
        return data.decode("utf-8").removeprefix(_BOM)
    except UnreadableError as error:
        return intake.reject(found.label, 0, error.reason, str(error))
    except UnicodeDecodeError as error:
        return intake.reject(found.label, 0, "not_utf8", f"at byte {error.start}")
