"""Hornbook's own: `hornbook.py FILE COUNT TASK`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import polars as pl
import pyarrow as pa
from measured import run

from filters import sensitive
from filters.chain import decide, score_table
from filters.config import DuplicatesConfig, FilterConfig
from filters.dedup import find_duplicates
from filters.dedup_passes import Held, sign_part

RULES = ("gopher", "repetition", "c4", "fineweb")


def table(texts: Sequence[str]) -> pa.Table:
    """The texts as documents."""
    size = len(texts)
    return pa.table({"id": [f"{n:08d}" for n in range(size)], "text": list(texts), "source": ["web"] * size,
                     "domain": ["web"] * size, "language": ["en"] * size})  # fmt: skip


def rules(texts: Sequence[str]) -> Any:
    """All statistics of four rule sets, and the verdicts with their reasons."""
    documents = table(texts)
    scores = score_table(documents, scorers=RULES)
    return {"rejected": decide(documents, scores, FilterConfig(quality=0)).num_rows}


def minhash(texts: Sequence[str]) -> Any:
    """Signatures from raw text, index, verification and decision."""
    return {"copies": find_duplicates([table(texts)], DuplicatesConfig()).num_rows}


def signatures(texts: Sequence[str]) -> Any:
    """Signatures from raw text alone."""
    return {"signed": sign_part(Held(table(texts)), DuplicatesConfig()).num_rows}


def personal(texts: Sequence[str]) -> Any:
    """All kinds of sensitive text, with checksums, 2,000 documents at a time."""
    counts = Counter[str]()
    for start in range(0, len(texts), 2000):
        found = sensitive.score(pl.Series(list(texts[start : start + 2000]), dtype=pl.String))
        counts.update({name.removeprefix("sensitive."): int(values.sum()) for name, values in found.items()})
    return dict(counts)


def chain(texts: Sequence[str]) -> Any:
    """Rules, sensitive text and near duplicates, as a run has them."""
    documents = table(texts)
    scores = score_table(documents, scorers=(*RULES, "sensitive"))
    gone = decide(documents, scores, FilterConfig(quality=0))["id"]
    kept = documents.filter(pa.compute.invert(pa.compute.is_in(documents["id"], value_set=gone.combine_chunks())))
    return {"kept": kept.num_rows - find_duplicates([kept], DuplicatesConfig()).num_rows}


TASKS = {"rules": rules, "minhash": minhash, "signatures": signatures, "sensitive": personal, "chain": chain}

if __name__ == "__main__":
    import pyarrow.compute

    run(TASKS[sys.argv[3]])
