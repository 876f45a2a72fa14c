"""gaoya: raw text into a MinHash index of 14 bands of 8, every text looked up before it goes in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gaoya.minhash import MinHashStringIndex
from measured import run


def minhash(texts: Sequence[str]) -> Any:
    """Insert all, counting those that have a near one already."""
    index = MinHashStringIndex(hash_size=32, jaccard_threshold=0.8, num_bands=14, band_size=8, num_hashes=112,
                               analyzer="word", lowercase=True, ngram_range=(5, 5))  # fmt: skip
    copies = 0
    for number, text in enumerate(texts):
        copies += bool(index.query(text))
        index.insert_document(number, text)
    return {"copies": copies}


if __name__ == "__main__":
    run(minhash)
