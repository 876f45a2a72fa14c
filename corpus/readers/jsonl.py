"""JSON Lines: one object a line, anything else a rejection with its line number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson

from corpus.document import Document, Rejection
from corpus.readers.files import Found
from corpus.readers.rows import DATE_FIELDS, LICENCE_FIELDS, ORIGIN_FIELDS, Intake
from corpus.readers.streams import LINE_LIMIT, Line, UnreadableError, chunks, lines

EXPLAIN_LIMIT = 1 << 20  # bytes of a bad line that are parsed once more to say what is wrong with it
_BOM = b"\xef\xbb\xbf"


def read_jsonl(found: Found, intake: Intake) -> Iterator[Document | Rejection]:
    """Rows of a `.jsonl`, packed or not. Blank lines are passed over, as every JSONL writer allows."""
    number = 0
    try:
        for line in lines(chunks(found.url)):
            number = line.number
            if line.data is None or line.data.strip(b" \t\r"):
                yield _row(line, found.label, intake)
    except UnreadableError as error:
        yield intake.reject(found.label, f"after line {number}", error.reason, str(error))


def _row(line: Line, label: str, intake: Intake) -> Document | Rejection:
    if line.data is None:
        return intake.reject(label, line.number, "line_too_long", f"more than {LINE_LIMIT:,} bytes")
    data = line.data.removeprefix(_BOM) if line.number == 1 else line.data
    try:
        row = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        return intake.reject(label, line.number, _why(data), str(error))
    if not isinstance(row, dict):
        return intake.reject(label, line.number, "not_an_object", f"the line holds a {type(row).__name__}")
    if twice := _given_twice(data, intake.config.text_field):
        return intake.reject(label, line.number, "duplicate_key", f"{twice!r} is given more than once")
    return intake.row(row, label, line.number)


def _given_twice(data: bytes, text_field: str) -> str:
    """Name of a field that we would use and that the object gives twice: which one is meant cannot be known."""
    used = (text_field, *LICENCE_FIELDS, *ORIGIN_FIELDS, *DATE_FIELDS)
    if all(data.count(b'"%s"' % name.encode()) < 2 for name in used):
        return ""
    pairs = json.loads(data, object_pairs_hook=_Pairs)
    names = [name for name, _ in pairs]
    return next((name for name in used if names.count(name) > 1), "")


class _Pairs(list[tuple[str, Any]]):
    """The pairs of an object in the order given, repeats and all."""


class _NotFiniteError(Exception):
    pass


def _not_finite(name: str) -> None:
    raise _NotFiniteError(name)


def _why(data: bytes) -> str:
    """Why a strict parser refused the line, told by what a lenient one makes of it."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return "not_utf8"
    if len(data) > EXPLAIN_LIMIT:
        return "malformed_json"
    try:
        json.dumps(json.loads(text, parse_constant=_not_finite), ensure_ascii=False).encode("utf-8")
    except _NotFiniteError:
        return "not_a_number"
    except RecursionError:
        return "nested_too_deep"
    except UnicodeEncodeError:
        return "lone_surrogate"
    except ValueError:
        return "malformed_json"
    return "nested_too_deep" if data.count(b"[") + data.count(b"{") > 1000 else "malformed_json"
