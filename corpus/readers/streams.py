"""Bytes from anywhere, unpacked and cut into lines without ever holding more than one bounded piece.

A file from outside may be cut short, packed a million to one, or have a line longer than memory. None of that may
cost more than `LINE_LIMIT` of memory, and what was readable before the damage is still read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import fsspec
import zstandard

from corpus.errors import RecipeError, SetupError

CHUNK = 1 << 20
LINE_LIMIT = 16 << 20  # bytes; a long book is about 5 MB
RATIO_LIMIT = 200  # unpacked : packed. Prose packs 3 to 10 times, server logs up to about 100
RATIO_FREE = 16 << 20  # unpacked bytes below which the ratio is not looked at
ZSTD_WINDOW = 1 << 27  # 128 MiB, the `--long=27` that zstd itself accepts without being asked
ZSTD_FEED = 512  # packed bytes a step: a block unpacks to at most 128 KiB, so a step to tens of MB at the very worst


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end. `data` is None when it was longer than the limit and was passed over."""

    number: int  # from 1
    data: bytes | None


class UnreadableError(Exception):
    """The rest of a file cannot be read. Caught by the readers, which turn it into a rejection with `reason`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@contextmanager
def open_bytes(url: str) -> Iterator[BinaryIO]:
    """Open a path or an fsspec URL for reading. A missing file is a `RecipeError`, a refused one a `SetupError`."""
    try:
        opened = fsspec.open(url, "rb").open()
    except FileNotFoundError as error:
        raise RecipeError(f"there is no file at {url}", hint="check `paths` of the source") from error
    except (PermissionError, ImportError) as error:
        raise SetupError(f"{url} cannot be opened: {error}") from error
    with opened as stream:
        yield stream


def chunks(url: str) -> Iterator[bytes]:
    """The unpacked bytes of a file, piece by piece; `.gz` and `.zst` are unpacked, however many members they have."""
    with open_bytes(url) as stream:
        packed = _Counted(stream)
        if url.endswith(".gz"):
            yield from _guarded(_gunzip(packed.blocks(CHUNK)), packed, url)
        elif url.endswith(".zst"):
            yield from _guarded(_unzstd(packed.blocks(ZSTD_FEED)), packed, url)
        else:
            yield from packed.blocks(CHUNK)


def lines(pieces: Iterator[bytes], limit: int = LINE_LIMIT) -> Iterator[Line]:
    """Lines that are not empty, cut at `\\n` alone: U+2028, NEL, form feed and `\\r` are text, not ends of lines."""
    number, size = 1, 0
    held: list[bytes] = []
    for piece in pieces:
        if not size and not piece.strip(b"\n"):
            number += len(piece)  # a run of empty lines, at the speed of a copy
            continue
        *whole, rest = piece.split(b"\n")
        for part in whole:
            size += len(part)
            if size:
                yield Line(number, b"".join([*held, part]) if size <= limit else None)
                held, size = [], 0
            number += 1
        size += len(rest)
        held = [*held, rest] if size <= limit else []
    if size:
        yield Line(number, b"".join(held) if size <= limit else None)


def whole(url: str, limit: int = LINE_LIMIT) -> bytes:
    """All bytes of a file of at most `limit`; raises `UnreadableError` for a longer one."""
    held, size = [], 0
    for piece in chunks(url):
        size += len(piece)
        if size > limit:
            raise UnreadableError("too_long", f"more than {limit:,} bytes in one document")
        held.append(piece)
    return b"".join(held)


class _Counted:
    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.read = 0

    def blocks(self, size: int) -> Iterator[bytes]:
        while block := self.stream.read(CHUNK):
            for start in range(0, len(block), size):
                part = block[start : start + size]
                self.read += len(part)
                yield part


def _guarded(pieces: Iterator[bytes], packed: _Counted, url: str) -> Iterator[bytes]:
    """Pass pieces on until the file turns out to be damaged or a bomb."""
    made = 0
    try:
        for piece in pieces:
            made += len(piece)
            if made > RATIO_FREE and made > RATIO_LIMIT * packed.read:
                raise UnreadableError("compression_bomb", f"unpacks to more than {RATIO_LIMIT} times its size")
            yield piece
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise UnreadableError("damaged_file", f"{type(error).__name__}: {error}") from error


def _gunzip(blocks: Iterator[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    begun = False
    for block in blocks:
        while block:
            if not begun and not (block := block.lstrip(b"\0")):  # padding after a member is allowed
                break
            begun = True
            if out := member.decompress(block, CHUNK):
                yield out
            block = member.unconsumed_tail
            if member.eof:
                block, begun = member.unused_data, False
                member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while begun and (out := member.decompress(b"", CHUNK)):  # output that waits behind the size limit
            yield out
    if begun:
        raise EOFError("the file ends in the middle of a gzip member")


def _unzstd(blocks: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    frame = unpacker.decompressobj()
    begun = False
    for block in blocks:
        while block:
            begun = True
            if out := frame.decompress(block):
                yield out
            block = b""
            if frame.eof:
                block, begun = frame.unused_data, False
                frame = unpacker.decompressobj()
    if begun:
        raise EOFError("the file ends in the middle of a zstd frame")
