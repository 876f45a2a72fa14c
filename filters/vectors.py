"""Texts as vectors, without a model: hashed words, weighted by rarity, brought to a few hundred dimensions.

Latent semantic analysis (Deerwester 1990) over the one split. A stronger embedding takes its place by the same call:
`Embed` is whatever turns texts into unit vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from filters.segments import owners
from filters.words import split_words

Embed = Callable[[Sequence[str]], np.ndarray]  # float32 [n, d], rows of length 1 (0 for a text without words)
BUCKETS = 1 << 18
CHARACTERS = 6000  # of each text


def word_vectors(texts: Sequence[str], dimensions: int = 128, seed: int = 17) -> np.ndarray:
    """float32 [n, dimensions] of unit rows; fewer dimensions where there are fewer texts. Deterministic."""
    from sklearn.decomposition import TruncatedSVD

    matrix = weighted(texts)
    size = min(dimensions, max(1, min(matrix.shape) - 1))
    if matrix.nnz == 0 or len(texts) < 3:
        return np.zeros((len(texts), size), np.float32)
    reduced = TruncatedSVD(size, n_iter=4, random_state=seed).fit_transform(matrix)
    return unit(reduced)


def weighted(texts: Sequence[str]):  # type: ignore[no-untyped-def]
    """A sparse matrix [n, BUCKETS] of 1 + log counts times inverse document frequency, rows of length 1."""
    from sklearn.feature_extraction.text import TfidfTransformer

    return TfidfTransformer(sublinear_tf=True).fit_transform(
        counted(pl.Series(texts, dtype=pl.String).str.slice(0, CHARACTERS))
    )


def counted(texts: pl.Series):  # type: ignore[no-untyped-def]
    """A sparse matrix [n, BUCKETS], float32: how often each bucket's words are in each text."""
    from scipy.sparse import csr_matrix

    words = split_words(texts)
    columns = (words.hashes[words.codes] % np.uint64(BUCKETS)).astype(np.int64)
    counts = csr_matrix((np.ones(len(columns), np.float32), (owners(words.offsets), columns)), (len(texts), BUCKETS))
    counts.sum_duplicates()
    return counts


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1, float32; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0).astype(np.float32)
