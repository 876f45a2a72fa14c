"""Parts of the line on plain files: read, score, decide; no recipe and no store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from corpus.document import Document, Rejection, documents_table
from corpus.errors import RecipeError
from corpus.hub import fetch_file
from corpus.readers import read_files
from filters.chain import ALL, overlap, score_table, verdict_table
from filters.classifier import Classifier
from filters.config import FilterConfig
from filters.overlap import Overlap, told
from filters.published import open_classifier
from filters.rules import PROFILES
from ray_jobs.passes import passes_for
from ray_jobs.recipe import RunConfig
from ray_jobs.sink import sink

SCORERS = ALL
BATCH = 5000  # documents scored at once: bounds memory
BATCH_CHARACTERS = 16 << 20  # as many as the longest line has


@dataclass(frozen=True)
class Scoring:
    """What is asked of each document. A worker loads a classifier once."""

    scorers: tuple[str, ...]
    config: FilterConfig
    classifier: str

    def __call__(self, documents: pa.Table) -> tuple[pa.Table, Overlap]:
        """Scores with verdicts, and how the filters overlap."""
        model, toxic = _named(self.classifier), _named(self.config.toxic.classifier)
        scores = score_table(documents, quality=model, toxicity=toxic, scorers=self.scorers)
        return verdict_table(documents, scores, self.config), overlap(documents, scores, self.config)


@lru_cache(maxsize=2)
def _named(classifier: str) -> Classifier | None:
    return open_classifier(classifier, fetch_file) if classifier else None


def score_files(
    files: Sequence[str],
    out: str | Path,
    scorers: Sequence[str],
    profile: str,
    classifier: str | None,
    field: str,
    languages: Sequence[str] = ("en",),
    workers: int = 0,
    toxic: Path | None = None,
) -> list[str]:
    """Write id, scores, verdict, reason and detail, a batch at a time; unreadable rows are counted and named.

    Texts are taken to be in the first of `languages`; all of them are kept. The table says what each filter alone would
    remove. With `workers` the batches are scored on Ray, and the file is the same.
    """
    if unknown := sorted(set(scorers) - set(SCORERS)):
        raise RecipeError(f"no scorer {unknown[0]!r}", hint=f"known: {', '.join(SCORERS)}")
    if profile and profile not in PROFILES:
        raise RecipeError(f"no profile {profile!r}", hint=f"known: {', '.join(PROFILES)}")
    if "quality" in scorers and classifier is None:
        raise RecipeError("the scorer `quality` needs --classifier FILE")
    profiles = {"files": profile} if profile else {"zh": "chinese"}
    config = FilterConfig.model_validate({
        "profiles": profiles, "languages": tuple(languages), "quality": 0.5 if classifier else 0.0,
        "toxic": {"classifier": str(toxic or "")},
    })  # fmt: skip
    scoring = Scoring(tuple(scorers), config, str(classifier or ""))
    unreadable, found = list[Rejection](), Overlap()
    with sink(out) as file:
        texts = batches(files, field, unreadable, language=languages[0])
        for scores, part in passes_for(RunConfig(workers=workers)).map(scoring, texts):
            file.write(scores)
            found += part
        if file.empty:
            raise RecipeError(
                "no readable document in these files", hint="; ".join(row.detail for row in unreadable[:3])
            )
    counts = [f"{found.documents - found.removed:,} kept", f"{found.removed:,} rejected"]
    return [*counts, *told(found), *unread(unreadable), f"wrote {out}"]


def batches(
    files: Sequence[str], field: str, rejected: list[Rejection], rows: int = BATCH, *, language: str = "en"
) -> Iterator[pa.Table]:
    """Documents of the files, at most `rows` at a time and not much more than `BATCH_CHARACTERS` of text; rows that
    cannot be read are added to `rejected`."""
    batch: list[Document] = []
    size = 0
    for row in read_files(files, text_field=field, language=language):
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
