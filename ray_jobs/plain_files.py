"""Parts of the line on plain files: read, score, decide, deduplicate, blend; no recipe and no store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.document import Document, Rejection, documents_table
from corpus.errors import RecipeError
from corpus.readers import read_files
from filters.blend import blend
from filters.chain import score_table, verdict_table
from filters.classifier import load_scorer
from filters.config import FilterConfig
from filters.rules import PROFILES

SCORERS = ("gopher", "repetition", "c4", "fineweb", "code", "language", "sensitive", "quality")
BATCH = 5000  # documents scored at once: bounds memory


def score_files(
    files: Sequence[str], out: Path, scorers: Sequence[str], profile: str, classifier: Path | None, field: str
) -> list[str]:
    """Write id, scores, verdict, reason and detail, a batch at a time; unreadable rows are counted and named."""
    if unknown := sorted(set(scorers) - set(SCORERS)):
        raise RecipeError(f"no scorer {unknown[0]!r}", hint=f"known: {', '.join(SCORERS)}")
    if profile not in PROFILES:
        raise RecipeError(f"no profile {profile!r}", hint=f"known: {', '.join(PROFILES)}")
    if "quality" in scorers and classifier is None:
        raise RecipeError("the scorer `quality` needs --classifier FILE")
    config = FilterConfig(profiles={"files": profile, "": profile}, quality=0.5 if classifier else 0.0)
    model = load_scorer(classifier) if classifier else None
    writer, rejected, verdicts = None, list[Rejection](), Counter[str]()
    for documents in batches(files, field, rejected):
        scores = verdict_table(documents, score_table(documents, quality=model, scorers=scorers), config)
        verdicts.update(scores["verdict"].to_pylist())
        writer = writer or pq.ParquetWriter(out, scores.schema, compression="zstd")
        writer.write_table(scores)
    if writer is None:
        raise RecipeError("no readable document in these files", hint="; ".join(row.detail for row in rejected[:3]))
    writer.close()
    return [f"{count:,} {name}" for name, count in sorted(verdicts.items())] + unread(rejected) + [f"wrote {out}"]


def blend_files(files: Sequence[str], out: Path, tokens: int, weights: str, seed: int, field: str) -> list[str]:
    """Write a mix; a token is counted as four UTF-8 bytes, since no tokenizer is named here."""
    rejected: list[Rejection] = []
    tables = {}
    for name in files:
        parts = list(batches([name], field, rejected))
        if parts:
            tables[name] = _with_estimate(pa.concat_tables(parts))
    given = [float(value) for value in weights.split(",")] if weights else []
    if given and len(given) != len(files):
        raise RecipeError(f"--weights has {len(given)} values for {len(files)} files")
    mix = blend(tables, dict(zip(files, given, strict=True)) if given else {}, tokens, 4.0, seed)
    whole = pa.concat_tables(list(tables.values()))
    place = {key: index for index, key in enumerate(whole["id"].to_pylist())}
    pq.write_table(whole.take(pa.array([place[key] for key in mix.rows])), out, compression="zstd")
    return [f"{s.source}: {s.taken:,} of {s.asked:,} tokens asked, {s.epochs} epochs" for s in mix.shares] + unread(
        rejected
    )


def _with_estimate(table: pa.Table) -> pa.Table:
    sizes = pc.cast(pc.add(pc.divide(pc.binary_length(table["text"]), 4), 1), pa.int32())
    return table.set_column(table.schema.get_field_index("tokens"), "tokens", sizes)


def batches(files: Sequence[str], field: str, rejected: list[Rejection]) -> Iterator[pa.Table]:
    """Documents of the files, `BATCH` at a time; rows that cannot be read are added to `rejected`."""
    batch: list[Document] = []
    for row in read_files(files, text_field=field):
        if isinstance(row, Rejection):
            rejected.append(row)
            continue
        batch.append(row)
        if len(batch) == BATCH:
            yield documents_table(batch)
            batch = []
    if batch:
        yield documents_table(batch)


def unread(rejected: list[Rejection]) -> list[str]:
    """A line for each reason why rows could not be read."""
    reasons = Counter(row.reason for row in rejected)
    first = {row.reason: row.detail for row in reversed(rejected)}
    return [f"{count:,} rows not readable: {reason} (first: {first[reason]})" for reason, count in reasons.items()]
