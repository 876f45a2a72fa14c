"""The HTML inside a recorded HTTP response."""

from __future__ import annotations

import zlib

from corpus.readers.streams import LINE_LIMIT

_PAGES = ("text/html", "application/xhtml+xml")


def page_html(response: bytes) -> str | None:
    """The decoded page; None for anything that is not a successful HTML response in an encoding that we undo."""
    head, gap, body = response.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    kind, _, parameters = headers.get("content-type", "").partition(";")
    if not gap or status.split(" ")[1:2] != ["200"] or kind.strip().lower() not in _PAGES:
        return None
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _joined(body)
    unpacked = _unpacked(body, headers.get("content-encoding", "").lower())
    return None if unpacked is None else _decoded(unpacked, parameters)


def _joined(body: bytes) -> bytes:
    """The chunks of a chunked body; one that is not well formed is taken as it stands, as crawlers often join it."""
    parts, at = [], 0
    while at < len(body):
        end = body.find(b"\r\n", at)
        try:
            size = int(body[at:end].split(b";")[0], 16) if end > at else -1
        except ValueError:
            size = -1
        if size < 0 or end + 2 + size > len(body):
            return body
        if size == 0:
            break
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 2 + size + 2
    return b"".join(parts)


def _unpacked(body: bytes, coding: str) -> bytes | None:
    if coding in ("", "identity"):
        return body
    if coding not in ("gzip", "x-gzip", "deflate"):
        return None
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, LINE_LIMIT)
    except zlib.error:
        return body  # many crawlers store the unpacked page under the packed header


def _decoded(page: bytes, parameters: str) -> str:
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding

    _, _, charset = parameters.lower().partition("charset=")
    named = charset.split(";")[0].strip(" \"'")
    try:
        return page.decode(named) if named else page.decode("utf-8")
    except (LookupError, UnicodeDecodeError):
        return bytes_to_str(page, detect_encoding(page) or "utf-8")
