"""Where in joined texts something sensitive could stand: a look at bytes alone, a gigabyte a second.

Almost all text holds none. Instead of running a pattern for each kind over all of it, the places of `@` and the numbers
(runs of digits) are taken once, and those are kept that stand as in a finding (`filters.outlines`). Every finding covers a
place of its kind, and few places are no finding.
"""

from __future__ import annotations

import numpy as np

from filters.outlines import BEHIND, BESIDE, LOOKS, WORD, Numbers, flags_of, table

CHUNK = 1 << 20  # bytes whose numbers are held at a time
PIECE = 1 << 16  # bytes looked at at a time: masks over them stay in the processor's nearest caches
NOWHERE = np.zeros(0, np.int64)
LOCAL = WORD | table("_.+%-")  # before the @ of an e-mail address
PASSWORD = WORD | table("!#$%&()*+,-.:;=?[\\]^_`{|}~")
HOST = WORD | table("-.")
KINDS = ("email", "url_credentials", *dict.fromkeys(kind for kind, _, _ in LOOKS))


def footholds(data: np.ndarray) -> dict[str, np.ndarray]:
    """Sorted places (int64) by kind in `data` (uint8), texts with line feeds between them: each finding of the kind covers
    one of them at least."""
    data = data if len(data) else np.array([ord("\n")], np.uint8)
    found = [_in_chunk(data, start) for start in range(0, len(data), CHUNK)]
    return {kind: np.concatenate([part[kind] for part in found]) for kind in KINDS}


def _in_chunk(data: np.ndarray, start: int) -> dict[str, np.ndarray]:
    """Those in the chunk from `start` on; a few bytes on both sides are looked at with it."""
    low, end = max(0, start - BESIDE), start + CHUNK
    chunk = data[low : end + BESIDE]
    found: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
    edges, at = _scanned(chunk)
    at = at[(at >= max(1, start - low)) & (at < min(end - low, len(chunk) - 1))]
    if len(at):
        before, after = chunk[at - 1], chunk[at + 1]
        found["email"].append(at[LOCAL[before] & WORD[after]])
        found["url_credentials"].append(at[PASSWORD[before] & HOST[after]])
    numbers = _numbers(chunk, edges)
    flags = flags_of(numbers)
    some = np.flatnonzero(flags)
    some = some[(numbers.start[some] >= start - low) & (numbers.start[some] < end - low)]
    flags = flags[some]
    for kind, bit, likely in LOOKS:
        if len(at := some[flags & bit != 0]):
            found[kind].append(numbers.start[at[likely(numbers, at)]])
    return {kind: np.sort(np.concatenate([NOWHERE, *parts])) + low for kind, parts in found.items()}


def _numbers(data: np.ndarray, edges: np.ndarray) -> Numbers:
    far = (len(data) + BESIDE) * np.arange(1, BEHIND + 1)
    return Numbers(data, np.concatenate([edges[0::2], far]), np.concatenate([edges[1::2], far]))


def _scanned(data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where digits begin and end, by turns, and where an `@` stands."""
    inside, shifted, mask = np.zeros(PIECE + 1, bool), np.empty(PIECE, np.uint8), np.zeros(PIECE, bool)
    edges, ats = list[np.ndarray](), list[np.ndarray]()
    for start in range(0, len(data), PIECE):
        piece = data[start : start + PIECE]
        size = len(piece)
        mask[size:] = False
        np.subtract(piece, np.uint8(ord("0")), out=shifted[:size])
        np.less_equal(shifted[:size], 9, out=inside[1 : size + 1])
        np.not_equal(inside[1 : size + 1], inside[:size], out=mask[:size])
        edges.append(_true(mask) + start)
        np.equal(piece, ord("@"), out=mask[:size])
        ats.append(_true(mask) + start)
        inside[0] = inside[size]
    edges.append(np.array([len(data)] * int(inside[0]), np.int64))
    return np.concatenate(edges), np.concatenate(ats)


def _true(mask: np.ndarray) -> np.ndarray:
    """Where a mask of a multiple of eight bytes is true."""
    eights = mask.view(np.uint64)
    words = np.flatnonzero(eights)
    inner = np.flatnonzero(eights[words].view(np.bool_))
    return (words << 3)[inner >> 3] + (inner & 7)
