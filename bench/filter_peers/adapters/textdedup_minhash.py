"""text-dedup's MinHash: signatures from raw text by its own `embed_func`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from measured import run
from text_dedup.minhash import embed_func
from text_dedup.utils.hashfunc import xxh3_32hash

BANDS, ROWS = 14, 8
PRIME = np.uint64((1 << 61) - 1)


def signatures(texts: Sequence[str]) -> Any:
    """14 bands of 8 over shingles of five words."""
    draw = np.random.RandomState(42)
    permutations = (
        draw.randint(1, 1 << 32, BANDS * ROWS, dtype=np.uint64),
        draw.randint(0, 1 << 32, BANDS * ROWS, dtype=np.uint64),
    )
    ranges = [(band * ROWS, (band + 1) * ROWS) for band in range(BANDS)]
    signed = 0
    for number, text in enumerate(texts):
        found = embed_func(
            content=text, idx=number, num_perm=BANDS * ROWS, ngram_size=5, min_length=5, hashranges=ranges,
            permutations=permutations, hash_func=xxh3_32hash, dtype=np.uint32, max_hash=np.uint32((1 << 32) - 1), modulo_prime=PRIME,
        )  # fmt: skip
        signed += bool(found)
    return {"signed": signed}


if __name__ == "__main__":
    run(signatures)
