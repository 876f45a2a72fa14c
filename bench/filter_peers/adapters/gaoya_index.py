"""gaoya: raw text into a MinHash index of 14 bands of 8. `lookup` asks for each text before it goes in, as one does to
find copies, which signs it twice; `minhash` only puts it in, the cheapest way there is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from gaoya.minhash import MinHashStringIndex
from measured import run


def index() -> MinHashStringIndex:
    """Empty, over shingles of five words."""
    return MinHashStringIndex(hash_size=32, jaccard_threshold=0.8, num_bands=14, band_size=8, num_hashes=112,
                              analyzer="word", lowercase=True, ngram_range=(5, 5))  # fmt: skip


def minhash(texts: Sequence[str]) -> Any:
    """Insert all."""
    made = index()
    for number, text in enumerate(texts):
        made.insert_document(number, text)
    return {"indexed": len(texts)}


def lookup(texts: Sequence[str]) -> Any:
    """Insert all, counting those that have a near one already."""
    made, copies = index(), 0
    for number, text in enumerate(texts):
        copies += bool(made.query(text))
        made.insert_document(number, text)
    return {"copies": copies}


if __name__ == "__main__":
    run(lookup if sys.argv[4:] == ["lookup"] else minhash)
