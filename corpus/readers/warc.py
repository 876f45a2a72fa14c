"""WARC and WET archives: web pages as crawlers keep them.

The container is read here, in Python, since its bytes come from anywhere: a broken record costs itself, and reading
goes on at the next one that begins. (FastWARC's native parser was tried first and aborts on some of these inputs.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from corpus.document import Document, Rejection
from corpus.readers.files import Found
from corpus.readers.http import page_html
from corpus.readers.plain import html_row
from corpus.readers.rows import Intake
from corpus.readers.streams import LINE_LIMIT, UnreadableError, chunks

HEADER_LIMIT = 1 << 16  # bytes of one header line, and of all headers of a record
_SKIP = 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """One record: lower-case header names, and the block (None when it was passed over as too long)."""

    number: int
    headers: dict[str, str]
    block: bytes | None


def read_warc(found: Found, intake: Intake) -> Iterator[Document | Rejection]:
    """Text of `conversion` records, main text of HTML `response` records; other records are no documents."""
    number = 0
    try:
        for record in records(chunks(found.url)):
            number = record.number
            row = _row(record, found.label, intake)
            if row is not None:
                yield row
    except UnreadableError as error:
        yield intake.reject(found.label, f"after record {number}", error.reason, str(error))


def records(pieces: Iterator[bytes]) -> Iterator[Record]:
    """All records of an archive in order; a damaged one has no headers. Raises `UnreadableError` at a cut end."""
    feed = _Feed(pieces)
    number, lost = 0, False
    while (line := feed.line()) is not None:
        if not line.startswith(b"WARC/"):
            if line.strip() and not lost:  # said once, then silently on to the next record
                lost, number = True, number + 1
                yield Record(number, {}, None)
            continue
        number, lost = number + 1, False
        headers = _headers(feed)
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            yield Record(number, {}, None)
            continue
        yield Record(number, headers, feed.block(int(length)))


def _row(record: Record, label: str, intake: Intake) -> Document | Rejection | None:
    kind = record.headers.get("warc-type", "")
    if not record.headers:
        return intake.reject(label, record.number, "damaged_record")
    if kind not in ("response", "conversion"):
        return None
    if record.block is None:
        return intake.reject(label, record.number, "too_long", f"a record of more than {LINE_LIMIT:,} bytes")
    facts = {"origin": record.headers.get("warc-target-uri", ""), "date": record.headers.get("warc-date", "")}
    if kind == "response":
        html = page_html(record.block)
        return None if html is None else html_row(html, label, record.number, intake, **facts)
    try:
        return intake.text(record.block.decode("utf-8"), label, record.number, **facts)
    except UnicodeDecodeError as error:
        return intake.reject(label, record.number, "not_utf8", f"at byte {error.start}")


def _headers(feed: _Feed) -> dict[str, str]:
    found: dict[str, str] = {}
    size = 0
    while (line := feed.line()) is not None and line.strip() and size < HEADER_LIMIT:
        size += len(line)
        name, _, value = line.decode("utf-8", "replace").partition(":")
        found.setdefault(name.strip().lower(), value.strip())
    return found


class _Feed:
    """Lines and blocks out of pieces of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""
        self._at = 0

    def line(self) -> bytes | None:
        """The next line with its end, or the first `HEADER_LIMIT` bytes of it; None at the end."""
        while (end := self._held.find(b"\n", self._at)) < 0 and len(self._held) - self._at < HEADER_LIMIT:
            if not self._more():
                break
        if self._at == len(self._held):
            return None
        stop = min(end + 1 or len(self._held), self._at + HEADER_LIMIT)
        line, self._at = self._held[self._at : stop], stop
        return line

    def block(self, length: int) -> bytes | None:
        """The next `length` bytes; passed over and None when longer than a document may be."""
        kept: list[bytes] | None = [] if length <= LINE_LIMIT else None
        left = length
        while left:
            if self._at == len(self._held) and not self._more():
                raise UnreadableError("damaged_file", f"{left:,} bytes of a record are missing at the end")
            part = self._held[self._at : self._at + min(left, _SKIP)]
            self._at += len(part)
            left -= len(part)
            if kept is not None:
                kept.append(part)
        return None if kept is None else b"".join(kept)

    def _more(self) -> bool:
        piece = next(self._pieces, b"")
        self._held, self._at = self._held[self._at :] + piece, 0
        return bool(piece)
