"""Which words, signs and pairs of them a text holds, and a linear model over that: what carries over to unseen sources.

Each counts once a text, however often it stands there, and the row has length 1; so neither a book's one subject nor a
long text outvotes the rest. Against fastText, which takes the mean over all occurrences, that is what makes a classifier
hold on sources that it has not seen (`hornbook filter classifier evaluate --kind words` and `--kind fasttext`).
Words are found in a table by hash: no vocabulary, one number for each of 2^20 places, 4 MB.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import xxhash

from corpus.errors import SetupError
from filters.segments import offsets_of, owners
from filters.words import WORD

VERSION = 1  # of the features: change it with the pattern, the hash or the number of characters
PLACES_BITS = 20
CHARACTERS = 4000  # of each text
BATCH = 4000  # texts at a time: bounds memory
PIECE = rf"{WORD}|[^\w\s]"  # how a text is punctuated tells more across sources than most of its words
STRENGTH = 10.0  # inverse of the regularisation; 3 to 30 make no difference (measured)
MIX, MIX_PAIR = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True, slots=True)
class Places:
    """The distinct places that n texts fill, text by text: `offsets` int64 [n + 1], `columns` int32."""

    offsets: np.ndarray
    columns: np.ndarray

    @property
    def scale(self) -> np.ndarray:
        """What each text's row is multiplied with to have length 1, float32 [n]."""
        return (1 / np.sqrt(np.maximum(np.diff(self.offsets), 1))).astype(np.float32)


def places(texts: pl.Series) -> Places:
    """The places of words and of pairs that follow each other; `texts` is a string series without nulls."""
    pieces = texts.str.slice(0, CHARACTERS).str.to_lowercase().str.extract_all(PIECE)
    offsets = offsets_of(pieces.list.len().to_numpy())
    flat = pieces.explode().drop_nulls().to_arrow().cast(pa.large_string()).dictionary_encode()
    distinct = flat.dictionary.to_pylist()
    hashes = np.fromiter((xxhash.xxh3_64_intdigest(word.encode()) for word in distinct), np.uint64, len(distinct))
    own = owners(offsets).astype(np.uint64) << np.uint64(PLACES_BITS)
    single = hashes[flat.indices.to_numpy(zero_copy_only=False)]
    pair = (single[:-1] * MIX + single[1:]) * MIX_PAIR
    away = np.uint64(64 - PLACES_BITS)
    keys = np.concatenate([own | (single >> away), (own[1:] | (pair >> away))[own[1:] == own[:-1]]])
    keys.sort()
    keys = keys[np.flatnonzero(np.diff(keys, prepend=~keys[:1]))]
    columns = (keys & np.uint64((1 << PLACES_BITS) - 1)).astype(np.int32)
    filled = np.bincount((keys >> np.uint64(PLACES_BITS)).astype(np.int64), minlength=len(offsets) - 1)
    return Places(offsets_of(filled), columns)


@dataclass(frozen=True)
class WordBag:
    """A weight for each place and a constant: the log odds that a text teaches."""

    weights: np.ndarray  # float32 [2^20]
    constant: float

    def score(self, texts: Sequence[str] | pl.Series) -> np.ndarray:
        """float32 probability in [0, 1] that each text teaches; that of an empty one for a text without words."""
        series = texts if isinstance(texts, pl.Series) else pl.Series(texts, dtype=pl.String)
        parts = [self._batch(series.slice(start, BATCH)) for start in range(0, len(series), BATCH)]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def save(self, out: Path) -> None:
        """One file, written atomically: a NumPy archive without pickles."""
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished = out.with_name(f".{out.name}.{os.getpid()}")
        facts = json.dumps({"version": VERSION, "constant": self.constant})
        with unfinished.open("wb") as file:
            np.savez_compressed(file, weights=self.weights, facts=np.frombuffer(facts.encode(), np.uint8))
        os.replace(unfinished, out)

    def _batch(self, texts: pl.Series) -> np.ndarray:
        found = places(texts)
        total = np.zeros(len(found.columns) + 1)
        np.cumsum(self.weights[found.columns], dtype=np.float64, out=total[1:])
        odds = (total[found.offsets[1:]] - total[found.offsets[:-1]]) * found.scale + self.constant
        return (1 / (1 + np.exp(-np.clip(odds, -60, 60)))).astype(np.float32)


def fit_bag(texts: Sequence[str], labels: np.ndarray, sources: Sequence[str] | None = None) -> WordBag:
    """Logistic regression on `texts` and `labels` (bool [n]); both kinds weigh the same, and within a
    kind the sources that `sources` names, as `even_weights` says."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    found = places(pl.Series(texts, dtype=pl.String))
    values = np.repeat(found.scale, np.diff(found.offsets))
    matrix: Any = csr_matrix((values, found.columns, found.offsets), (len(texts), 1 << PLACES_BITS))
    names = np.zeros(len(labels)) if sources is None else np.asarray(sources, object)
    model = LogisticRegression(C=STRENGTH, solver="liblinear", max_iter=300, random_state=0)
    model.fit(matrix, labels, sample_weight=even_weights(labels, names))
    return WordBag(model.coef_[0].astype(np.float32), float(model.intercept_[0]))


def even_weights(labels: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """float [n], mean 1: half of the weight to each kind, and within a kind to every source by the root of its number of
    texts. A source of a hundred times the texts counts ten times: neither outvoted nor drowned out."""
    weights = np.zeros(len(labels))
    for kind in (True, False):
        if (own := labels == kind).any():
            _, place, counts = np.unique(sources[own].astype(str), return_inverse=True, return_counts=True)
            roots = np.sqrt(counts)
            weights[own] = 0.5 * (roots / roots.sum() / counts)[place]
    return weights * len(labels)


def is_bag(path: Path) -> bool:
    """Whether a file is one that `WordBag.save` wrote, by its first bytes."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def load_bag(path: Path) -> WordBag:
    """What `save` wrote. Raises `SetupError` for anything else, and for another version of the features."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            facts = json.loads(file["facts"].tobytes())
            weights = file["weights"]
        version, constant = int(facts["version"]), float(facts["constant"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise SetupError(f"{path}: no classifier: {error}", hint="hornbook filter classifier train") from None
    if version != VERSION or weights.shape != (1 << PLACES_BITS,):
        raise SetupError(f"{path}: a classifier of version {version}, this is {VERSION}", hint="train it again")
    return WordBag(weights, constant)
