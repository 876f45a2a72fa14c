"""The outlines of numbers: how many digits stand in one and in the next three, and which mark stands between each two.

A table tells which kinds of sensitive text an outline can be; a few bytes more are looked at where it tells any.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

BESIDE = 64  # bytes beside a chunk: no outline is longer
BEHIND = 3  # numbers behind the first that belong to an outline
MANY = 7  # digits from which an outline counts no further
LONG = 11  # digits of the shortest number that is a finding by itself: a Chinese mobile telephone
TEN_DIGITS = 19  # bytes that hold the first ten digits of an international telephone number, at most
PHONE, SSN, CARD, IP, ACCOUNT, ABROAD, SIXTH, WHOLE = (1 << bit for bit in range(8))
MARKS = {"": 0, "-": 1, " ": 2, ".": 3, ")": 4}  # "": anything else, or more than one byte; a blank may follow the last
# Sizes of numbers that follow one another, and the marks that may stand between each two.
OUTLINES: tuple[tuple[int, tuple[tuple[int, ...], ...], tuple[str, ...]], ...] = (
    (SSN, ((3,), (2,), (4,)), ("-", "-")),
    (CARD, ((4,), (4,), (4,), (4,)), (" -", " -", " -")),
    (CARD, ((4,), (6,), (5,)), (" -", " -")),
    (IP, ((1, 2, 3),) * 4, (".", ".", ".")),
    (PHONE, ((3,), (3,), (4,)), ("-.)", " .-")),
    (PHONE, ((3,), (4,), (4,)), (" -", " -")),
    (PHONE, ((3, 4), (MANY,)), ("-)",)),
    (PHONE, ((3, 4), (4,), (3, 4)), ("-)", " -")),
)


def table(characters: str) -> np.ndarray:
    """Which bytes are among the characters, bool [256]."""
    found = np.zeros(256, bool)
    found[list(characters.encode())] = True
    return found


DIGIT, HEX = table(string.digits), table(string.hexdigits)
UPPER, LOWER = table(string.ascii_uppercase), table(string.ascii_lowercase)
WORD = table(string.digits + string.ascii_letters)
BEFORE_ADDRESS = WORD | table("_.-")  # stands before no address of a computer
BEFORE_PHONE = WORD | table("_.+/-")


@dataclass(frozen=True, slots=True)
class Numbers:
    """The runs of digits of `data`, and behind them `BEHIND` that are far away and of no length."""

    data: np.ndarray
    start: np.ndarray
    end: np.ndarray

    def sizes(self, at: np.ndarray) -> np.ndarray:
        """How many digits they have."""
        return self.end[at] - self.start[at]

    def byte(self, at: np.ndarray, step: int) -> np.ndarray:
        """What stands `step` bytes behind their start; a line feed before the data, the last byte again behind them."""
        places = self.start[at] + step
        return np.where(places < 0, np.uint8(ord("\n")), self.data.take(places, mode="clip"))

    def among(self, at: np.ndarray, step: int, characters: np.ndarray) -> np.ndarray:
        """Whether that is one of a table's characters."""
        return characters[self.byte(at, step)]


def flags_of(numbers: Numbers) -> np.ndarray:
    """The kinds that each number could begin, as bits, uint8."""
    size, count = numbers.end - numbers.start, len(numbers.start) - BEHIND
    gap = numbers.start[1:] - numbers.end[:-1]
    mark = _marks()[numbers.data.take(numbers.end[:-1], mode="clip")]
    mark *= (gap == 1) | ((gap == 2) & (mark == MARKS[")"]))
    digits = np.minimum(size, MANY).astype(np.int32)
    key = digits[:count].copy()
    for step in range(1, BEHIND + 1):
        key |= digits[step : count + step] << (3 * step)
        key |= mark[step - 1 : count + step - 1].astype(np.int32) << (9 + 3 * step)
    flags = _kinds_of_outlines()[key]
    before = numbers.data.take(numbers.start[:count] - 1, mode="clip")  # of the very first byte that itself, a digit
    flags |= _kinds_of_marks()[before]
    fifth = numbers.data.take(numbers.start[:count] + 4, mode="clip")
    flags |= (fifth == ord(":")) * np.uint8(SIXTH)
    flags |= (size[:count] >= LONG) * np.uint8(WHOLE)
    return flags


@cache
def _marks() -> np.ndarray:
    """The number of each byte as a mark, uint8."""
    found = np.zeros(256, np.uint8)
    for mark, number in MARKS.items():
        found[list(mark.encode())] = number
    return found


@cache
def _kinds_of_marks() -> np.ndarray:
    """What could begin behind each byte, whatever the sizes."""
    return np.where(UPPER | LOWER, ACCOUNT, 0).astype(np.uint8) | np.where(table("+"), ABROAD, 0).astype(np.uint8)


@cache
def _kinds_of_outlines() -> np.ndarray:
    """Bits of the kinds by sizes of four numbers (three bits each) and the three marks between them (three each)."""
    kinds = np.zeros((8,) * (2 * BEHIND + 1), np.uint8)  # marks, the last first, then sizes, the last first
    for kind, sizes, marks in OUTLINES:
        for place in _cells(sizes, marks):
            kinds[place] |= kind
    return kinds.reshape(-1)


def _cells(sizes: tuple[tuple[int, ...], ...], marks: tuple[str, ...]) -> Iterator[tuple[int | slice, ...]]:
    for some in product(*marks):
        for counts in product(*sizes):
            later: list[int | slice] = [slice(None)] * (BEHIND - len(marks))
            yield (*later, *(MARKS[mark] for mark in reversed(some)), *later, *reversed(counts))


def _national(numbers: Numbers, at: np.ndarray) -> np.ndarray:
    """Telephones of North America and China by their first digit; an area needs both of its parentheses."""
    first, following = numbers.byte(at, 0), numbers.sizes(at + 1)
    likely = np.where(following == 3, first >= ord("2"), first <= np.where(following == 4, ord("1"), ord("0")))
    closed = numbers.data.take(numbers.end[at], mode="clip") == ord(")")
    return likely & (~closed | (numbers.byte(at, -1) == ord("(")))


def _abroad(numbers: Numbers, at: np.ndarray) -> np.ndarray:
    """International telephones, behind a plus."""
    likely = ~numbers.among(at, -2, BEFORE_PHONE)
    window = numbers.data.take(numbers.start[at[likely]][:, None] + np.arange(TEN_DIGITS), mode="clip")
    likely[likely] = DIGIT[window].sum(axis=1) >= 10
    return likely


def _mobile(numbers: Numbers, at: np.ndarray) -> np.ndarray:
    """Chinese mobile telephones, with 86 before them or without."""
    sizes, first = numbers.sizes(at), numbers.byte(at, 0)
    return ((sizes == 11) & (first == ord("1"))) | ((sizes == 13) & (first == ord("8")))


def _card(numbers: Numbers, at: np.ndarray) -> np.ndarray:
    sizes, first = numbers.sizes(at), numbers.byte(at, 0)
    likely = (sizes == 4) | ((sizes >= 12) & (sizes <= 19))
    return likely & (first >= ord("1")) & (first <= ord("6")) & ~numbers.among(at, -1, WORD | table("."))


def _resident(numbers: Numbers, at: np.ndarray) -> np.ndarray:
    sizes = numbers.sizes(at)
    likely = ((sizes == 17) | (sizes == 18)) & numbers.among(at, 17, DIGIT | table("Xx"))
    return likely & ((numbers.byte(at, 6) == ord("1")) == (numbers.byte(at, 7) == ord("9")))


def _account(numbers: Numbers, at: np.ndarray) -> np.ndarray:
    """Check digits behind two letters that begin a word; then two groups of four at least, in small letters a longer one."""
    likely = WORD[numbers.byte(at, -2)] & ~numbers.among(at, -3, WORD) & numbers.among(at, 1, DIGIT)
    likely[likely] = _small(numbers, at[likely]) | _grouped(numbers, at[likely])
    return likely


def _small(numbers: Numbers, at: np.ndarray) -> np.ndarray:
    window = numbers.data.take(numbers.start[at][:, None] + np.arange(-2, 13), mode="clip")
    return LOWER[window[:, :2]].all(axis=1) & (DIGIT | LOWER)[window].all(axis=1)


def _grouped(numbers: Numbers, at: np.ndarray) -> np.ndarray:
    place = numbers.start[at] + 2
    good = numbers.among(at, -1, UPPER) & numbers.among(at, -2, UPPER)
    for _ in range(2):
        place += numbers.data.take(place, mode="clip") == ord(" ")
        good &= (DIGIT | UPPER)[numbers.data.take(place[:, None] + np.arange(4), mode="clip")].all(axis=1)
        place += 4
    return good


def _fourth(numbers: Numbers, at: np.ndarray) -> np.ndarray:
    """IPv4 addresses."""
    return ~numbers.among(at, -1, BEFORE_ADDRESS)


def _sixth(numbers: Numbers, at: np.ndarray) -> np.ndarray:
    """First groups of IPv6 addresses that are given out: all of 2000::/3."""
    likely = numbers.among(at, 0, table("23")) & numbers.among(at, 5, HEX | table(":"))
    likely &= np.logical_and.reduce([numbers.among(at, step, HEX) for step in (1, 2, 3)])
    return likely & ~numbers.among(at, -1, BEFORE_ADDRESS)


# Which numbers of those that a bit stands at can begin a finding of the kind.
LOOKS = (
    ("phone", PHONE, _national),
    ("phone", ABROAD, _abroad),
    ("phone", WHOLE, _mobile),
    ("us_ssn", SSN, lambda numbers, at: at >= 0),
    ("card", CARD | WHOLE, _card),
    ("chinese_id", WHOLE, _resident),
    ("iban", ACCOUNT, _account),
    ("ip", IP, _fourth),
    ("ip", SIXTH, _sixth),
)
