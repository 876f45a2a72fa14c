"""Hornbook's own: `hornbook.py FILE COUNT TASK`."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from measured import run, run_file

from filters import sensitive
from filters.batch import keep_freed_memory
from filters.chain import decide, score_table
from filters.classifier import load_scorer
from filters.config import DecontaminateConfig, DuplicatesConfig, FilterConfig
from filters.decontaminate import decontaminator
from filters.dedup import find_duplicates
from filters.dedup_passes import Held, sign_part
from filters.passages import find_passages
from ray_jobs.plain_files import batches

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


def passages(texts: Sequence[str]) -> Any:
    """Runs of fifty words that stand earlier, from raw text, each compared word by word."""
    found = find_passages([table(texts)])
    return {"runs": found.num_rows, "words": int(pc.sum(found["words"]).as_py() or 0)}


def signatures(texts: Sequence[str]) -> Any:
    """Signatures from raw text alone."""
    return {"signed": sign_part(Held(table(texts)), DuplicatesConfig()).num_rows}


def personal(texts: Sequence[str]) -> Any:
    """All kinds of sensitive text, with checksums, 20,000 documents at a time: about as much as the chain takes at once."""
    counts = Counter[str]()
    keep_freed_memory()
    for start in range(0, len(texts), 20_000):
        found = sensitive.score(pl.Series(list(texts[start : start + 20_000]), dtype=pl.String))
        counts.update({name.removeprefix("sensitive."): int(values.sum()) for name, values in found.items()})
    return dict(counts)


def chain(path: Path, out: Path) -> Any:
    """From the file to what is kept: language, four rule sets and the Chinese one, classifier, ten kinds of sensitive text,
    benchmark items by words and by the shape of code, exact and near duplicates. Scores and reasons of all are written."""
    given = Path(os.environ["HORNBOOK_CHAIN"])
    config = FilterConfig(quality=0, decontaminate=DecontaminateConfig(against=(str(given / "items.jsonl"),)))
    classifier, against = load_scorer(given / "quality.bin"), decontaminator(config.decontaminate)
    kept, rejected = [], []
    with pq.ParquetWriter(
        out / "scores.parquet", score_table(table([""]), quality=classifier, against=against).schema
    ) as writer:
        for documents in batches([str(path)], "text", []):
            scores = score_table(documents, quality=classifier, against=against)
            writer.write_table(scores)
            rejected.append(decide(documents, scores, config))
            kept.append(without(documents, rejected[-1]["id"]))
    copies = find_duplicates(kept, config.duplicates)
    pq.write_table(pa.concat_tables(rejected), out / "rejected.parquet", compression="zstd")
    rest = without(pa.concat_tables(kept), copies["id"])
    pq.write_table(rest, out / "kept.parquet", compression="zstd")
    return {"filtered": sum(part.num_rows for part in kept), "kept": rest.num_rows}


def without(documents: pa.Table, ids: pa.ChunkedArray) -> pa.Table:
    """The documents but those."""
    return documents.filter(pc.invert(pc.is_in(documents["id"], value_set=ids.combine_chunks())))


TASKS = {"rules": rules, "minhash": minhash, "signatures": signatures, "sensitive": personal,
         "passages": passages}  # fmt: skip

if __name__ == "__main__":
    run_file(chain) if sys.argv[3] == "chain" else run(TASKS[sys.argv[3]])
