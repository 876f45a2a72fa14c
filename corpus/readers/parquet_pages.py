"""Headers of Parquet pages: how much each unpacks to, seen before anything is unpacked.

A page is unpacked as a whole, and a value of a gigabyte makes a page of a gigabyte, of which the decoder holds four copies.
Only the headers are read here, in Thrift's compact encoding, and nothing in them is trusted but to be too large.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

PAGE_LIMIT = 128 << 20  # unpacked bytes; writers aim at 1 MiB
HEADER = (1 << 12, 1 << 16, 1 << 22)  # bytes read for a header: more where it did not fit
DEPTH = 8
UNPACKED, PACKED, DATA, DICTIONARY, DATA_2 = 2, 3, 5, 7, 8  # fields of a header


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a column. A dictionary has no rows."""

    unpacked: int
    rows: int


def pages(stream: BinaryIO, start: int, size: int) -> Iterator[Page]:
    """The pages of a column chunk of `size` bytes. Raises `ValueError` where a header cannot be."""
    end = start + size
    while start < end:
        header, length = _header(stream, start)
        unpacked, packed = header.get(UNPACKED, -1), header.get(PACKED, -1)
        if min(unpacked, packed) < 0:
            raise ValueError(f"no page begins at byte {start:,}")
        rows = (header.get(DATA) or header.get(DATA_2) or {}).get(1, 0)
        yield Page(unpacked, 0 if DICTIONARY in header else rows)
        start += length + packed


def _header(stream: BinaryIO, start: int) -> tuple[dict[int, Any], int]:
    for size in HEADER:
        stream.seek(start)
        data = stream.read(size)
        try:
            return _struct(data, 0, 0)
        except IndexError:
            continue
    raise ValueError(f"the page header at byte {start:,} has no end")


def _struct(data: bytes, at: int, depth: int) -> tuple[dict[int, Any], int]:
    """Values by the number of their field, and where the bytes go on."""
    if depth > DEPTH:
        raise ValueError("a page header is nested too deep")
    found: dict[int, Any] = {}
    number = 0
    while byte := data[at]:
        step, kind = byte >> 4, byte & 15
        number, at = (number + step, at + 1) if step else _signed(data, at + 1)
        found[number], at = _value(kind, data, at, depth)
    return found, at + 1


def _value(kind: int, data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if kind in (1, 2):  # a flag, in the kind itself
        return kind == 1, at
    if kind == 3:
        return data[at], at + 1
    if kind in (4, 5, 6):
        return _signed(data, at)
    if kind == 7:
        return None, at + 8
    if kind == 8:
        length, at = _varint(data, at)
        return None, at + length
    if kind == 12:
        return _struct(data, at, depth + 1)
    raise ValueError(f"a page header has a value of kind {kind}")  # lists and maps: no header has one


def _signed(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number in a page header has no end")
