"""Numbers by which a text corpus is pruned: how hard a reference finds each text, how like another, how typical it is.

A reference never scores what it learned from: each half of the corpus is scored by a model of the other half, or by a
model that was trained elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pyarrow as pa

from corpus.ids import seed_from
from filters.config import DuplicatesConfig
from filters.dedup import find_duplicates
from filters.redundancy.ngram_model import fit_ngrams
from filters.redundancy.select import prototypicality
from filters.vectors import Embed

By = Literal["loss", "copies", "prototype"]
Bits = Callable[[Sequence[str]], np.ndarray]  # bits per byte of each text, float [n]
Reference = Callable[[Sequence[str]], Bits]  # learns from texts
CLUSTERS = 50


def ngram_reference(texts: Sequence[str]) -> Bits:
    """The built-in reference: bytes from the five before them."""
    return fit_ngrams(texts).bits


def losses(
    texts: Sequence[str], reference: Reference = ngram_reference, *, parts: int = 2, seed: int = 17
) -> np.ndarray:
    """Bits per byte of each text, float32 [n], by a reference that learned from the other parts."""
    part = np.random.default_rng(seed_from("reference", seed)).permutation(len(texts)) % parts
    found = np.zeros(len(texts), np.float32)
    for held in range(parts):
        model = reference([text for text, own in zip(texts, part, strict=True) if own != held])
        rows = np.flatnonzero(part == held)
        found[rows] = model([texts[row] for row in rows])
    return found


def likeness(documents: pa.Table, config: DuplicatesConfig) -> np.ndarray:
    """Exact Jaccard similarity of each document to the one that stays in its place, float32 [n]; 0 for one that stays
    (`documents` have `id` and `text`). The share above 0 is the redundancy that copies make."""
    found = find_duplicates([documents], config)
    places = {name: row for row, name in enumerate(documents["id"].to_pylist())}
    result = np.zeros(documents.num_rows, np.float32)
    for name, value in zip(found["id"].to_pylist(), found["jaccard"].to_pylist(), strict=True):
        result[places[name]] = value
    return result


def prototypes(texts: Sequence[str], embed: Embed, *, clusters: int = CLUSTERS, seed: int = 17) -> np.ndarray:
    """Cosine distance of each text to the centre of its cluster, float32 [n]: small for what is typical."""
    return prototypicality(embed(texts), clusters, seed).astype(np.float32)
