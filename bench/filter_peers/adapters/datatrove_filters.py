"""datatrove's filters, each called on every document as its own pipeline does: `… FILE COUNT TASK`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from datatrove.data import Document
from measured import run


def _filters() -> list[Any]:
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )

    return [
        GopherRepetitionFilter(),
        GopherQualityFilter(),
        C4QualityFilter(filter_no_terminal_punct=False),
        FineWebQualityFilter(),
    ]


FILTERS: list[Any] = []


def rules(texts: Sequence[str]) -> Any:
    """Four filters, all of them on every document: no early exit, so that every filter's verdict is known."""
    FILTERS[:] = FILTERS or _filters()
    rejected = 0
    for number, text in enumerate(texts):
        verdicts = [one.filter(Document(text=text, id=str(number))) for one in FILTERS]
        rejected += any(verdict is not True for verdict in verdicts)
    return {"rejected": rejected}


def signatures(texts: Sequence[str]) -> Any:
    """Signatures of 14 bands of 8 over shingles of five words."""
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
    from datatrove.utils.hashing import HashConfig

    config = MinhashConfig(
        hash_config=HashConfig(hash_fc="xxhash", precision=64), n_grams=5, num_buckets=14, hashes_per_bucket=8
    )
    step = MinhashDedupSignature(output_folder="/tmp/unused-datatrove", config=config)
    signed = 0
    for text in texts:
        shingles = step.get_shingles(text)
        signed += bool(shingles.size) and len(step.get_signature(shingles)) == 14
    return {"signed": signed}


def personal(texts: Sequence[str]) -> Any:
    """E-mail and IP addresses replaced."""
    from datatrove.pipeline.formatters import PIIFormatter

    formatter = PIIFormatter()
    return {"changed": sum(formatter.format(text) != text for text in texts)}


TASKS = {"rules": rules, "signatures": signatures, "minhash": signatures, "sensitive": personal}

if __name__ == "__main__":
    run(TASKS[sys.argv[3]])
