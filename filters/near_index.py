"""Near duplicates as texts arrive: the generator asks before it keeps a reply; the filter stage decides globally."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import polars as pl

from filters.config import DuplicatesConfig
from filters.minhash import jaccard, sign_with_sets


class NearIndex:
    """Texts seen so far, found again by exact match or by verified near match.

    For one thread. A text costs 8 bytes a band and 8 a shingle, so it is meant for the texts of a run, not of a crawl.
    """

    def __init__(self, config: DuplicatesConfig) -> None:
        self._config = config
        self._exact: dict[bytes, str] = {}
        self._buckets: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        self._ids: list[str] = []
        self._sets: list[np.ndarray] = []

    def __len__(self) -> int:
        return len(self._exact)

    def add_or_find(self, ids: Sequence[str], texts: Sequence[str]) -> list[str | None]:
        """For each text the id of an earlier one that it repeats, or None: it is new, and in the index from now."""
        series = pl.Series(texts, dtype=pl.String)
        signed, sets = sign_with_sets(series, self._config)
        rows = zip(ids, signed.exact, signed.bands.tolist(), sets, strict=True)
        return [self._one(name, exact, bands, grams) for name, exact, bands, grams in rows]

    def _one(self, name: str, exact: bytes, bands: list[int], grams: np.ndarray) -> str | None:
        if (same := self._exact.get(exact)) is not None:
            return same
        keys = list(enumerate(bands)) if len(grams) else []
        for row in sorted({row for key in keys for row in self._buckets.get(key, ())}):
            if jaccard(self._sets[row], grams) >= self._config.threshold:
                return self._ids[row]
        self._exact[exact] = name
        if keys:
            for key in keys:
                self._buckets[key].append(len(self._ids))
            self._ids.append(name)
            self._sets.append(grams)
        return None
