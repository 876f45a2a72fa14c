"""WARC and WET archives: web pages as crawlers keep them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from corpus.document import Document, Rejection
from corpus.readers.files import Found
from corpus.readers.plain import main_text
from corpus.readers.rows import Intake
from corpus.readers.streams import LINE_LIMIT, ChunkStream, UnreadableError, chunks

_PAGES = ("text/html", "application/xhtml+xml")


def read_warc(found: Found, intake: Intake) -> Iterator[Document | Rejection]:
    """Extracted text of `conversion` records, main text of HTML `response` records; other records are no documents."""
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    wanted = WarcRecordType.response | WarcRecordType.conversion
    number = 0
    try:
        stream = ChunkStream(chunks(found.url))
        for record in ArchiveIterator(stream, record_types=wanted, parse_http=True):
            number += 1
            if (row := _record(record, number, found.label, intake)) is not None:
                yield row
    except UnreadableError as error:
        yield intake.reject(found.label, f"after record {number}", error.reason, str(error))
    except (ValueError, RuntimeError, OSError) as error:  # what the parser raises for a broken header
        yield intake.reject(found.label, f"after record {number}", "damaged_file", f"{type(error).__name__}: {error}")


def _record(record: Any, number: int, label: str, intake: Intake) -> Document | Rejection | None:
    if record.is_http and not _is_page(record):
        return None
    if record.content_length > LINE_LIMIT:
        return intake.reject(label, number, "too_long", f"a record of {record.content_length:,} bytes")
    data = record.reader.read()
    text = _page_text(data, record.http_charset) if record.is_http else data.decode("utf-8", "surrogateescape")
    url = record.headers.get("WARC-Target-URI") or ""
    return intake.text(text, label, number, origin=url, date=record.headers.get("WARC-Date") or "")


def _is_page(record: Any) -> bool:
    kind = (record.http_content_type or "").split(";")[0].strip().lower()
    status = record.http_headers.status_code if record.http_headers else None
    return kind in _PAGES and status == 200


def _page_text(data: bytes, charset: str | None) -> str:
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding

    return main_text(bytes_to_str(data, charset or detect_encoding(data) or "utf-8"))
