"""Texts as runs of like characters: words, ideographs and the rest between white space, found by arithmetic over bytes.

A regular expression spends most of its time between two words. Here every byte of a batch gets a kind from a table, a
run ends where the kind changes, and runs are hashed eight bytes at a time, all of them at once. What a character is
comes from the tables of Polars' regular expressions (Rust), asked once a process.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
import pyarrow as pa
import xxhash

from filters.segments import offsets_of

OTHER, LETTER, IDEOGRAPH, SPACE = 0, 1, 2, 4  # what is not OTHER and below SPACE is of a word
IDEOGRAPHS = r"\p{Han}\p{Hiragana}\p{Katakana}"  # written without spaces
PATTERNS = {LETTER: r"\w", IDEOGRAPH: rf"[{IDEOGRAPHS}]", SPACE: r"\s"}
LEADS = {2: (0xC0, 0xDF, 0x1F), 3: (0xE0, 0xEF, 0x0F), 4: (0xF0, 0xF7, 0x07)}  # first byte and its bits, by width
PLANES = (range(0xD800), range(0xE000, 0x40000), range(0xE0000, 0xE1000))  # where characters have a kind
STEP, MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
LONG = 64  # bytes: longer runs are hashed one by one, so that one endless word costs linear time
ENDLESS = range(4 << 20, 1 << 31)  # bytes of a batch, more than is cut on purpose, whose places take half the memory
BLOCK = 1 << 20  # runs hashed at a time
PAD = 16  # bytes of zeros behind the last text, so that its last run can be read as whole words of the machine


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of n lower-cased texts in reading order, white space left out; `offsets` cut the r runs into texts."""

    data: np.ndarray  # uint8, UTF-8 of all texts
    starts: np.ndarray  # int32 or int64 [r], first byte
    sizes: np.ndarray  # the same [r], bytes
    kinds: np.ndarray  # uint8 [r]
    offsets: np.ndarray  # int64 [n + 1]

    @property
    def words(self) -> np.ndarray:
        """Which runs are words or ideographs, bool [r]."""
        return self.kinds != OTHER

    @property
    def apart(self) -> np.ndarray:
        """Which runs have white space before them and another run of the text before that, bool [r]."""
        apart = np.zeros(len(self.starts), bool)
        np.greater(self.starts[1:], self.starts[:-1] + self.sizes[:-1], out=apart[1:])
        apart[self.offsets[:-1][np.diff(self.offsets) > 0]] = False
        return apart


def split_runs(texts: pl.Series) -> Runs:
    """The runs of a string series without nulls, after lower-casing."""
    data, cuts = padded(texts.str.to_lowercase())
    kinds = _kinds(data[:-PAD])
    begins = np.empty(len(kinds) + 1, bool)
    np.not_equal(kinds[1:], kinds[:-1], out=begins[1:-1])
    begins[:-1] |= (kinds == IDEOGRAPH) & (data[:-PAD] >= 0xC0)  # each is a run of its own
    begins[cuts] = True
    edges: np.ndarray = np.flatnonzero(begins)
    if len(data) in ENDLESS:
        edges = edges.astype(np.int32)
    kinds = kinds[edges[:-1]]
    solid = np.flatnonzero(kinds != SPACE)
    starts, kinds = edges[solid], kinds[solid]
    solid += 1
    sizes = edges[solid]
    sizes -= starts
    return Runs(data, starts, sizes, kinds, np.searchsorted(starts, cuts.astype(starts.dtype)))


def padded(texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """All bytes of a string series without nulls, uint8, with zeros behind, and where each text ends, int64 [n + 1]."""
    array = texts.to_arrow().cast(pa.large_string())
    _, cuts, data = array.buffers()
    ends = np.frombuffer(cuts, np.int64, len(array) + 1, array.offset * 8) if cuts else np.zeros(1, np.int64)
    raw = np.zeros(int(ends[-1] - ends[0]) + PAD, np.uint8)
    if data is not None:
        raw[:-PAD] = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    return raw, ends - ends[0]


def hash_pieces(data: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """A stable hash of some pieces of padded `data`, uint64."""
    mixed = np.empty(len(starts), np.uint64)
    for begin in range(0, len(starts), BLOCK):  # so that a text of nothing but one-letter words needs no gigabyte
        block = slice(begin, begin + BLOCK)
        mixed[block] = _hash(data, starts[block], sizes[block])
    return mixed


def _hash(data: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    eights = np.lib.stride_tricks.as_strided(data[:8].view("<u8"), (len(data) - 7,), (1,))  # at any byte
    mixed = sizes.astype(np.uint64)
    mixed *= STEP
    _fold(mixed, eights[starts], sizes)
    left = np.flatnonzero(sizes > 8)
    for done in range(8, LONG, 8):
        part = mixed[left]
        _fold(part, eights[starts[left] + done], sizes[left] - done)
        mixed[left] = part
        left = left[sizes[left] > done + 8]
    for run in left.tolist():
        mixed[run] = xxhash.xxh3_64_intdigest(data[starts[run] : starts[run] + sizes[run]].tobytes())
    mixed *= MIX
    mixed ^= mixed >> np.uint64(29)
    return mixed


def _fold(mixed: np.ndarray, piece: np.ndarray, sizes: np.ndarray) -> None:
    """Take in up to eight bytes a run, in place; what stands behind the run's end counts as zero."""
    piece &= FIRST.take(sizes, mode="clip")
    mixed ^= piece
    mixed *= MIX
    mixed ^= mixed >> np.uint64(32)


FIRST = np.array([(1 << (8 * size)) - 1 for size in range(9)], np.uint64)  # mask of the first bytes of eight


def _kinds(data: np.ndarray) -> np.ndarray:
    """The kind of the character that each byte belongs to, uint8."""
    kinds = np.frombuffer(bytearray(data).translate(_ascii()), np.uint8)
    for width, (lowest, highest, bits) in LEADS.items() if (data >= 0xC0).any() else ():
        leads = np.flatnonzero((data >= lowest) & (data <= highest))
        point = (data[leads] & np.uint8(bits)).astype(np.int32)
        for place in range(1, width):
            point <<= 6
            point |= data[leads + place] & np.uint8(0x3F)
        found = _table()[point]
        for place in range(width):
            kinds[leads + place] = found
    return kinds


@cache
def _ascii() -> bytes:
    """The kind of every byte; those of longer characters are looked up otherwise."""
    return _kinds_of(range(128)).tobytes() + bytes(128)


@cache
def _table() -> np.ndarray:
    """The kind of every character, uint8 by code point."""
    table = np.zeros(0x110000, np.uint8)
    for plane in PLANES:
        table[plane] = _kinds_of(plane)
    return table


def _kinds_of(points: range) -> np.ndarray:
    characters, kinds = pl.Series([chr(point) for point in points]), np.zeros(len(points), np.uint8)
    for kind, pattern in PATTERNS.items():
        kinds[characters.str.contains(pattern).to_numpy()] = kind
    return kinds


def gathered(data: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> pa.LargeStringArray:
    """Some runs as an array of strings."""
    offsets = offsets_of(sizes)
    places = np.repeat(starts - offsets[:-1], sizes) + np.arange(offsets[-1])
    return pa.LargeStringArray.from_buffers(len(sizes), pa.py_buffer(offsets), pa.py_buffer(data[places]))
