"""Parts of the line on plain files: read, score, decide; no recipe and no store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.document import Document, Rejection, documents_table
from corpus.errors import RecipeError
from corpus.hub import fetch_file
from corpus.readers import read_files
from filters.chain import score_table, verdict_table
from filters.classifier import load_scorer
from filters.config import FilterConfig, ToxicConfig
from filters.published import open_classifier
from filters.rules import PROFILES

SCORERS = ("gopher", "repetition", "c4", "fineweb", "code", "language", "sensitive", "toxic", "quality")
BATCH = 5000  # documents scored at once: bounds memory
BATCH_CHARACTERS = 64 << 20


def score_files(
    files: Sequence[str],
    out: Path,
    scorers: Sequence[str],
    profile: str,
    classifier: str | None,
    field: str,
    toxic: Path | None = None,
) -> list[str]:
    """Write id, scores, verdict, reason and detail, a batch at a time; unreadable rows are counted and named."""
    if unknown := sorted(set(scorers) - set(SCORERS)):
        raise RecipeError(f"no scorer {unknown[0]!r}", hint=f"known: {', '.join(SCORERS)}")
    if profile not in PROFILES:
        raise RecipeError(f"no profile {profile!r}", hint=f"known: {', '.join(PROFILES)}")
    if "quality" in scorers and classifier is None:
        raise RecipeError("the scorer `quality` needs --classifier FILE")
    config = FilterConfig(
        profiles={"files": profile, "": profile},
        quality=0.5 if classifier else 0.0,
        toxic=ToxicConfig(classifier=str(toxic or "")),
    )
    model = open_classifier(classifier, fetch_file) if classifier else None
    toxicity = load_scorer(toxic) if toxic else None
    writer, rejected, verdicts = None, list[Rejection](), Counter[str]()
    for documents in batches(files, field, rejected):
        scores = score_table(documents, quality=model, toxicity=toxicity, scorers=scorers)
        scores = verdict_table(documents, scores, config)
        verdicts.update(scores["verdict"].to_pylist())
        writer = writer or pq.ParquetWriter(out, scores.schema, compression="zstd")
        writer.write_table(scores)
    if writer is None:
        raise RecipeError("no readable document in these files", hint="; ".join(row.detail for row in rejected[:3]))
    writer.close()
    return [f"{count:,} {name}" for name, count in sorted(verdicts.items())] + unread(rejected) + [f"wrote {out}"]


def batches(files: Sequence[str], field: str, rejected: list[Rejection], rows: int = BATCH) -> Iterator[pa.Table]:
    """Documents of the files, at most `rows` at a time and not much more than `BATCH_CHARACTERS` of text; rows that
    cannot be read are added to `rejected`."""
    batch: list[Document] = []
    size = 0
    for row in read_files(files, text_field=field):
        if isinstance(row, Rejection):
            rejected.append(row)
            continue
        batch.append(row)
        size += len(row.text)
        if len(batch) == rows or size >= BATCH_CHARACTERS:
            yield documents_table(batch)
            batch, size = [], 0
    if batch:
        yield documents_table(batch)


def unread(rejected: list[Rejection]) -> list[str]:
    """A line for each reason why rows could not be read."""
    reasons = Counter(row.reason for row in rejected)
    first = {row.reason: row.detail for row in reversed(rejected)}
    return [f"{count:,} rows not readable: {reason} (first: {first[reason]})" for reason, count in reasons.items()]
