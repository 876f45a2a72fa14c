"""The vectors of `word_vectors` for more texts than fit into memory: the same numbers, worked out block by block on disk.

Counts of words are written a block at a time. The axes are found from the first pass over up to `FITTED` texts, spread
evenly, by the same randomised decomposition as in memory (Halko, Martinsson and Tropp 2011), whose products with the
counts are taken block by block in the same order; so up to `FITTED` texts every vector is the same to the last bit. Of
more texts, those left out of the fit are laid along the same axes.

Held are a few matrices of `BUCKETS` or `FITTED` rows and 138 columns, about half a gigabyte, however many texts there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from filters.vectors import BUCKETS, CHARACTERS, counted, unit

FITTED = BUCKETS - 1
DIMENSIONS, SPARE, ROUNDS, SEED = 128, 10, 4, 17  # as scikit-learn's `TruncatedSVD(128, n_iter=4)`
ROWS_DRAWN = 1 << 14


@dataclass(frozen=True)
class VectorFile:
    """float32 rows in a file, [n, d]; read when they are asked for and not kept."""

    path: Path
    shape: tuple[int, int]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        mapped = np.memmap(self.path, np.float32, "r", shape=self.shape)  # its pages are given back at once
        return np.array(mapped[rows])


@dataclass
class Counts:
    """Counts of the words of n texts in blocks of rows, in a folder, and in how many texts each bucket is."""

    folder: Path
    rows: list[int] = field(default_factory=list)
    texts_with: np.ndarray = field(default_factory=lambda: np.zeros(BUCKETS, np.int64))

    @property
    def texts(self) -> int:
        """How many there are."""
        return sum(self.rows)

    def add(self, texts: pl.Series) -> None:
        """One more block."""
        block = counted(texts.str.slice(0, CHARACTERS))
        self.texts_with += np.bincount(block.indices, minlength=BUCKETS)
        np.savez(self._path(len(self.rows)), data=block.data, indices=block.indices, indptr=block.indptr)
        self.rows.append(len(texts))

    def blocks(self) -> Iterator[Any]:
        """The blocks as sparse matrices, weighted as in `filters.vectors.weighted`."""
        from scipy.sparse import csr_matrix
        from sklearn.feature_extraction.text import TfidfTransformer

        weights = TfidfTransformer(sublinear_tf=True)
        found = (self.texts_with + 1).astype(np.float32)
        weights.idf_ = np.log(np.full_like(found, self.texts + 1) / found) + np.float32(1)
        for number, rows in enumerate(self.rows):
            with np.load(self._path(number)) as part:
                block = csr_matrix((part["data"], part["indices"], part["indptr"]), (rows, BUCKETS))
            yield weights.transform(block, copy=False)

    def fitted(self) -> Iterator[Any]:
        """The rows that the axes are found from, evenly spread where there are more than `FITTED`."""
        begin, most = 0, min(FITTED, self.texts)
        for block in self.blocks():
            places = np.arange(begin, begin + block.shape[0] + 1) * most // self.texts
            begin += block.shape[0]
            chosen = np.flatnonzero(np.diff(places))
            yield block if len(chosen) == block.shape[0] else block[chosen]

    def _path(self, number: int) -> Path:
        return self.folder / f"counts-{number:06}.npz"


def stored_vectors(blocks: Iterable[pl.Series], folder: Path, dimensions: int = DIMENSIONS) -> VectorFile:
    """float32 [n, dimensions] of unit rows in a file in `folder`; as `word_vectors`, the same every time.

    `blocks` are string series without nulls, some thousand texts each; they are read once.
    """
    counts = Counts(folder)
    for block in blocks:
        counts.add(block)
    size = min(dimensions, max(1, min(counts.texts, BUCKETS) - 1))
    path = folder / "vectors.f32"
    empty = counts.texts < 3 or not counts.texts_with.any()
    axes = None if empty else _axes(counts, size)
    with path.open("wb") as file:
        for weighted in counts.blocks():
            rows = np.zeros((weighted.shape[0], size), np.float32) if axes is None else unit(weighted @ axes)
            file.write(rows.tobytes())
    return VectorFile(path, (counts.texts, size))


def _axes(counts: Counts, size: int) -> np.ndarray:
    """float32 [BUCKETS, size]: the first right singular vectors of the fitted rows."""
    from scipy import linalg
    from sklearn.utils.extmath import svd_flip

    found = _drawn(min(FITTED, counts.texts), size + SPARE)
    for _ in range(ROUNDS):
        found = linalg.lu(_across(counts, found), permute_l=True, check_finite=False, overwrite_a=True)[0]
        found = linalg.lu(_along(counts, found), permute_l=True, check_finite=False, overwrite_a=True)[0]
    basis = linalg.qr(_across(counts, found), mode="economic", check_finite=False)[0]
    inner = linalg.svd(_along(counts, basis).T, full_matrices=False)[0]
    return np.ascontiguousarray(svd_flip(None, (basis @ inner)[:, :size].T, u_based_decision=False)[1].T)


def _drawn(rows: int, columns: int) -> np.ndarray:
    """Normal numbers, float32, drawn some rows at a time: as doubles they would take twice the room."""
    draw, made = np.random.RandomState(SEED), np.empty((rows, columns), np.float32)
    for begin in range(0, rows, ROWS_DRAWN):
        made[begin : begin + ROWS_DRAWN] = draw.normal(size=(min(ROWS_DRAWN, rows - begin), columns))
    return made


def _along(counts: Counts, right: np.ndarray) -> np.ndarray:
    """The fitted rows times `right` [BUCKETS, k]: a row for each."""
    made = np.empty((min(FITTED, counts.texts), right.shape[1]), np.float32)
    begin = 0
    for block in counts.fitted():
        made[begin : begin + block.shape[0]] = block @ right
        begin += block.shape[0]
    return made


def _across(counts: Counts, left: np.ndarray) -> np.ndarray:
    """The transpose of the fitted rows times `left` [rows, k]: a row for each bucket.

    SciPy's own loop, because it adds to what is there: the sum is over the texts in their order, as for the whole matrix.
    """
    from scipy.sparse import _sparsetools

    made = np.zeros((BUCKETS, left.shape[1]), np.float32)
    begin = 0
    for block in counts.fitted():
        rows, width = block.shape[0], left.shape[1]
        part = np.ascontiguousarray(left[begin : begin + rows]).ravel()
        _sparsetools.csc_matvecs(BUCKETS, rows, width, block.indptr, block.indices, block.data, part, made.ravel())
        begin += rows
    return made
