"""A look at Python functions that spares most of them the parser: is one of some programs as good as the same?

What is compared is the skeleton: the words of the language, builtins, attributes and operators in their order, every
other name folded into one symbol and every number into another; without the signature, strings, comments and layout. It
is cut out of all functions of a batch at once, by arithmetic over bytes. Two functions with like syntax trees are about as long and have
about the same symbols, and the same pairs of neighbours among them. Similarity is Bhattacharyya's: the sum over all kinds
of symbols of the roots of both shares' product, 1 for the same shares.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from filters.program_shape import FIXED
from filters.runs import MIX, PAD, STEP, hash_pieces, padded
from filters.segments import offsets_of, owners

# A program of n symbols is unlike by less than `least + change / n` where trees are .8 alike and more, in symbols and in
# pairs: of 9,000 programs with one to six things changed one was further away.
SYMBOLS_LEAST, SYMBOLS_CHANGE, PAIRS_LEAST, PAIRS_CHANGE = 0.03, 2.4, 0.15, 4.5
SHORTER, LONGER = 0.4, 1.5  # lengths that are compared, as a share of the program's
COLUMNS, PAIR_COLUMNS = 256, 1024  # kinds of symbols and of pairs that are told apart
TOGETHER = 256  # functions compared at a time
HELD = 1 << 14  # functions whose skeletons are held: 50 MB of shares
SIGNATURE = re.compile(r"\)\s*(?:->[^\n]{0,300}?)?:(?=\s)")  # a longer annotation would make it quadratic
SAID = re.compile(
    r'"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|#[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\''
)  # strings and comments
WORD, OPERATOR = 1, 2
KINDS = bytes(
    OPERATOR if chr(code) in "+-*/%<>=!&|^~@[{" else WORD * (code >= 0x80 or chr(code).isalnum() or code == ord("_"))
    for code in range(256)
)
NAME, NUMBER = np.uint64(1), np.uint64(2 << 40)  # the symbols of names that an author chose, and of numbers


@dataclass(frozen=True, slots=True)
class _Skeletons:
    """Symbols (uint64) of n functions, cut by `offsets` (n + 1)."""

    symbols: np.ndarray
    offsets: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        return np.diff(self.offsets)

    def shares(self) -> np.ndarray:
        """Roots of the shares of the symbols' kinds, float32 [n, COLUMNS + 1]; names count half."""
        columns = np.where(self.symbols == NAME, COLUMNS, (self.symbols >> np.uint64(40)) % COLUMNS)
        counts = _counted(owners(self.offsets), columns, len(self.sizes), COLUMNS + 1)
        counts[:, -1] /= 2
        return _rooted(counts)

    def pair_shares(self, rows: np.ndarray) -> np.ndarray:
        """The same of the pairs of neighbours in some functions, float32 [rows, PAIR_COLUMNS]."""
        sizes = self.sizes[rows]
        places = np.repeat(self.offsets[rows] - offsets_of(sizes)[:-1], sizes) + np.arange(sizes.sum())
        symbols, owner = self.symbols[places], np.repeat(np.arange(len(rows)), sizes)
        pairs = ((symbols[:-1] * STEP) ^ symbols[1:]) * MIX >> np.uint64(40)
        inside = owner[1:] == owner[:-1]
        return _rooted(_counted(owner[1:][inside], pairs[inside] % PAIR_COLUMNS, len(rows), PAIR_COLUMNS))


class ProgramLook:
    """Some programs, each a function with its text as `program_shape.blocks` cuts it; read-only once built."""

    def __init__(self, programs: Sequence[str]) -> None:
        skeletons = _skeletons(programs)
        order = np.argsort(skeletons.sizes, kind="stable")
        self._sizes = skeletons.sizes[order]
        size = np.maximum(self._sizes, 1)
        self._symbols_least = (1 - SYMBOLS_LEAST - SYMBOLS_CHANGE / size).astype(np.float32)
        self._pairs_least = 1 - PAIRS_LEAST - PAIRS_CHANGE / size
        self._shares, self._pairs = skeletons.shares()[order], skeletons.pair_shares(order)

    def likely(self, functions: Sequence[str]) -> np.ndarray:
        """Which functions could have a tree that is .8 and more like that of a program, bool."""
        parts = [self._likely(functions[start : start + HELD]) for start in range(0, len(functions), HELD)]
        return np.concatenate(parts) if parts else np.zeros(0, bool)

    def _likely(self, functions: Sequence[str]) -> np.ndarray:
        found = np.zeros(len(functions), bool)
        if len(self._sizes):
            skeletons = _skeletons(functions)
            shares, order = skeletons.shares(), np.argsort(skeletons.sizes, kind="stable")
            for start in range(0, len(order), TOGETHER):
                rows = order[start : start + TOGETHER]
                found[self._alike(skeletons, rows, shares[rows])] = True
        return found

    def _alike(self, skeletons: _Skeletons, rows: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Those of some functions, sorted by length, that are like a program of about their length."""
        sizes = skeletons.sizes[rows]
        low = np.searchsorted(self._sizes, sizes[0] / LONGER)
        high = np.searchsorted(self._sizes, sizes[-1] / SHORTER, "right")
        row, program = np.nonzero(shares @ self._shares[low:high].T >= self._symbols_least[low:high])
        program += low
        ratio = np.maximum(sizes[row], 1) / np.maximum(self._sizes[program], 1)
        near = (ratio >= SHORTER) & (ratio <= LONGER)
        row, program = row[near], program[near]
        some, place = np.unique(row, return_inverse=True)
        pairs = skeletons.pair_shares(rows[some])
        close = np.einsum("ij,ij->i", pairs[place], self._pairs[program]) >= self._pairs_least[program]
        return rows[row[close]]


def _skeletons(functions: Sequence[str]) -> _Skeletons:
    data, cuts = padded(pl.Series([_body(text) for text in functions], dtype=pl.String))
    kinds = np.frombuffer(data[:-PAD].tobytes().translate(KINDS), np.uint8)
    begins = np.empty(len(kinds) + 1, bool)
    np.not_equal(kinds[1:], kinds[:-1], out=begins[1:-1])
    begins[:-1] |= kinds == OPERATOR  # each is a symbol of its own
    begins[cuts] = True
    edges = np.flatnonzero(begins)
    solid = np.flatnonzero(kinds[edges[:-1]])
    starts, sizes = edges[solid], edges[solid + 1] - edges[solid]
    symbols, first = hash_pieces(data, starts, sizes), data[starts]
    known = _FIXED[np.minimum(np.searchsorted(_FIXED, symbols), len(_FIXED) - 1)] == symbols
    known |= (kinds[starts] == OPERATOR) | (data[starts - 1] == ord("."))
    symbols[~known] = NAME
    symbols[(first >= ord("0")) & (first <= ord("9"))] = NUMBER  # `1e9` and `1000000000.0` are the same
    return _Skeletons(symbols, np.searchsorted(starts, cuts))


def _body(function: str) -> str:
    """What stands behind the signature, without strings and comments."""
    head = SIGNATURE.search(function)
    return SAID.sub(" ", function[head.end() :] if head else function)


def _counted(rows: np.ndarray, columns: np.ndarray, height: int, width: int) -> np.ndarray:
    cells = rows * width + columns.astype(np.int64)
    return np.bincount(cells, minlength=height * width).reshape(height, width).astype(np.float32)


def _rooted(counts: np.ndarray) -> np.ndarray:
    return np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _hashes(words: Sequence[str]) -> np.ndarray:
    data, cuts = padded(pl.Series(words, dtype=pl.String))
    return np.sort(hash_pieces(data, cuts[:-1], np.diff(cuts)))


_FIXED = _hashes(sorted({*keyword.kwlist, *FIXED}))
