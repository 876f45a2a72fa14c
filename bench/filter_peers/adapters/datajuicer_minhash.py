"""data-juicer's `document_minhash_deduplicator`: signatures from raw text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from data_juicer.ops.deduplicator.document_minhash_deduplicator import DocumentMinhashDeduplicator
from measured import run


def signatures(texts: Sequence[str]) -> Any:
    """14 bands of 8 over shingles of five words."""
    step = DocumentMinhashDeduplicator(
        tokenization="space", window_size=5, num_permutations=112, num_bands=14, num_rows_per_band=8
    )
    return {"signed": sum(bool(step.compute_hash({"text": text})) for text in texts)}


if __name__ == "__main__":
    run(signatures)
