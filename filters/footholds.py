"""Where in a column of text something sensitive could stand: a look at bytes alone, some hundred megabytes a second.

Almost all text holds none. Instead of running a pattern for each kind over all of it, the places of `@` and of digits are
taken once, and arithmetic over them keeps those that have the outline of an address or a number. Every finding covers a
place of its kind; most places are no finding, which the patterns then tell.
"""

from __future__ import annotations

import numpy as np

CHUNK = 1 << 20  # bytes at a time: what is looked at stays in the processor's cache, and memory is bounded
BESIDE = 64  # bytes beside a chunk: no outline is longer
EIGHT_DIGITS = (
    14  # bytes from the first to the last of eight digits, at most: separators stand between groups of two or more
)
TEN_DIGITS = 18
MOBILE_DIGITS = 12  # eleven digits in three groups
CARD_DIGITS = 13  # twelve digits in groups of four


def footholds(data: np.ndarray, offsets: np.ndarray) -> dict[str, np.ndarray]:
    """Sorted places (int64) by kind in `data` (uint8), which `offsets` cut into texts: each finding of the kind covers one
    of them at least."""
    found = [_kept(data, offsets, start) for start in range(0, max(1, len(data)), CHUNK)]
    return {kind: np.concatenate([part[kind] for part in found]) for kind in found[0]}


def _kept(data: np.ndarray, offsets: np.ndarray, start: int) -> dict[str, np.ndarray]:
    """Those in the chunk from `start` on; a few bytes on both sides are looked at with it."""
    low, end = max(0, start - BESIDE), start + CHUNK
    cuts = offsets[np.searchsorted(offsets, low) : np.searchsorted(offsets, end + BESIDE, "right")]
    places = _in_chunk(data[low : end + BESIDE], cuts - low)
    return {kind: (found + low)[(found + low >= start) & (found + low < end)] for kind, found in places.items()}


def _in_chunk(data: np.ndarray, offsets: np.ndarray) -> dict[str, np.ndarray]:
    digits = _places(data, ord("0"), ord("9"))
    near = np.flatnonzero(digits[7:] - digits[: max(0, len(digits) - 7)] <= EIGHT_DIGITS)
    start, end = _runs(digits, offsets)
    mobiles = _mobiles(data, _within(digits, near, 11, MOBILE_DIGITS), offsets)
    return {
        **_addresses(data, _places(data, ord("@"), ord("@"))),
        "phone": np.sort(np.concatenate([_phones(data, _within(digits, near, 10, TEN_DIGITS)), mobiles])),
        "us_ssn": _dashed(data, digits[near], 3, 6),
        "card": _cards(data, _within(digits, near, 12, CARD_DIGITS), offsets),
        "chinese_id": _residents(data, _within(digits, near, 17, 16)),
        "iban": _countries(data, start[end - start >= 2]),
        "ip": np.sort(np.concatenate([_dotted(data, start, end), _sixth(data, start)])),
    }


def _places(data: np.ndarray, low: int, high: int) -> np.ndarray:
    """Where bytes from `low` to `high` stand."""
    mask = np.zeros(-(-len(data) // 8) * 8, dtype=bool)
    if low == high:
        np.equal(data, low, out=mask[: len(data)])
    else:
        np.less_equal(data - np.uint8(low), np.uint8(high - low), out=mask[: len(data)])
    eights = mask.view(np.uint64)
    words = np.flatnonzero(eights != 0)
    inner = np.flatnonzero(eights[words].view(np.bool_))
    return (words << 3)[inner >> 3] + (inner & 7)


def _addresses(data: np.ndarray, at: np.ndarray) -> dict[str, np.ndarray]:
    """Both sides of an `@` are taken: a decorator has none on its left."""
    before, after = _byte(data, at - 1), _byte(data, at + 1)
    both = (before > ord(" ")) & (before < 0x7F) & _among(after, "az", "AZ", "09")
    return {"email": at[both], "url_credentials": at[both | (_among(after, "-.") & (before > ord(" ")))]}


def _phones(data: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Those that begin as a telephone number does."""
    before, zero = _byte(data, first - 1), _byte(data, first) == ord("0")
    third, fourth, seventh = (_byte(data, first + step) for step in (3, 4, 7))
    parted = _among(third, "--", "..") & (seventh == third)
    trunk = zero & ((third == ord("-")) | (fourth == ord("-")))
    return first[_among(before, "++", "((") | parted | trunk]


def _mobiles(data: np.ndarray, first: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Those that begin as a Chinese mobile number does; 86 may stand before it."""
    new = _begins(data, first, offsets) | (_byte(data, first - 1) == ord("6"))
    return first[new & (_byte(data, first) == ord("1")) & _among(_byte(data, first + 1), "39")]


def _dashed(data: np.ndarray, first: np.ndarray, *steps: int) -> np.ndarray:
    return first[np.logical_and.reduce([_byte(data, first + step) == ord("-") for step in steps])]


def _cards(data: np.ndarray, first: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    begins = _begins(data, first, offsets) & _among(_byte(data, first), "16")
    return first[begins & _among(_byte(data, first + 4), "09", "  ", "--")]


def _begins(data: np.ndarray, places: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Which are no later part of a number or a word; what stands before a text does not count."""
    return ~_among(_byte(data, places - 1), "az", "AZ", "09", "..") | np.isin(places, offsets)


def _residents(data: np.ndarray, first: np.ndarray) -> np.ndarray:
    century = [_byte(data, first + step) for step in (6, 7)]
    return first[
        ((century[0] == ord("1")) & (century[1] == ord("9"))) | ((century[0] == ord("2")) & (century[1] == ord("0")))
    ]


def _dotted(data: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """First of four runs of digits with a dot between each two."""
    beside = start[1:] - end[:-1] == 1
    row = np.flatnonzero(beside[:-2] & beside[1:-1] & beside[2:])
    return start[row[np.logical_and.reduce([_byte(data, end[row + step]) == ord(".") for step in range(3)])]]


def _sixth(data: np.ndarray, start: np.ndarray) -> np.ndarray:
    """First groups of IPv6 addresses that are given out: all of 2000::/3."""
    first = start[_among(_byte(data, start), "23")]
    return first[_byte(data, first + 4) == ord(":")]


def _countries(data: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Check digits behind two capitals."""
    behind_one = start[_upper(data, start - 1)]
    return behind_one[_upper(data, behind_one - 2)]


def _runs(digits: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Start and end of each run of digits; a run ends with its text."""
    apart = np.diff(digits) != 1
    last = np.searchsorted(digits, offsets) - 1  # of the text before
    apart[last[(last >= 0) & (last < len(apart))]] = True
    broken = np.flatnonzero(apart)
    if not len(digits):
        return digits, digits
    return digits[np.concatenate([[0], broken + 1])], digits[np.concatenate([broken, [len(digits) - 1]])] + 1


def _within(digits: np.ndarray, places: np.ndarray, count: int, most: int) -> np.ndarray:
    """Of the digits with these numbers those that have `count` digits within `most` bytes from the first to the last."""
    enough = places[places + count - 1 < len(digits)]
    return digits[enough[digits[enough + count - 1] - digits[enough] <= most]]


def _among(values: np.ndarray, *ranges: str) -> np.ndarray:
    """Which bytes are in one of the ranges, each given as its two ends."""
    return np.logical_or.reduce([(values >= ord(span[0])) & (values <= ord(span[-1])) for span in ranges])


def _upper(data: np.ndarray, places: np.ndarray) -> np.ndarray:
    return _among(_byte(data, places), "AZ")


def _byte(data: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Bytes at places; beyond the edges the nearest one, which at worst leaves a place too many."""
    return data.take(places, mode="clip") if len(data) else np.zeros(len(places), np.uint8)
