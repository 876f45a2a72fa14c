"""Plain text and HTML: one file, one document."""

from __future__ import annotations

from collections.abc import Iterator

from corpus.document import Document, Rejection
from corpus.readers.files import Found
from corpus.readers.rows import Intake
from corpus.readers.streams import UnreadableError, whole

_BOM = "\ufeff"


def read_plain(found: Found, intake: Intake) -> Iterator[Document | Rejection]:
    """The text of a file. One with NUL bytes is an image, an archive or UTF-16, and is refused rather than guessed."""
    text = _text(found, intake)
    yield text if isinstance(text, Rejection) else intake.text(text, found.label, 0, origin=found.label)


def read_html(found: Found, intake: Intake) -> Iterator[Document | Rejection]:
    """The main text of a page, without menus, scripts and banners."""
    text = _text(found, intake)
    if isinstance(text, Rejection):
        yield text
    else:
        yield intake.text(main_text(text), found.label, 0, origin=found.label)


def main_text(html: str) -> str:
    """Main content of an HTML page as text, by Resiliparse's rules."""
    from resiliparse.extract.html2text import extract_plain_text

    return extract_plain_text(html, main_content=True, preserve_formatting=True, alt_texts=False)


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
