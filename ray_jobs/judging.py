"""The filter stage on one shard of documents: judge it by its scores, and once the copies are known, finish it.

Both are pure functions of what the shard holds and commit what they make, so it is the same on one worker and on many,
and a text is in the memory of one worker at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import DOCUMENTS, REJECTIONS, Rejection, rejections_table
from corpus.ids import digest
from corpus.manifest import row_hashes
from corpus.resumable import Record
from corpus.shards import Partition, read_partition, write_partition
from corpus.store import Store, open_store
from corpus.tokens import TokenCounter
from filters.chain import decide, overlap, score_table
from filters.config import FilterConfig
from filters.decontaminate import contamination
from filters.sensitive import redact
from filters.sensitive_kinds import NAMES
from ray_jobs.found import SHOWN, Found, to_record
from ray_jobs.grounding import facts_of, seed_texts
from ray_jobs.stages.read import with_tokens
from ray_jobs.stages.score import classifier, toxicity

NEVER_SHOWN = ("sensitive", "toxic", "contaminated")
SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Stored:
    """A partition and the store that has it."""

    url: str
    partition: Partition

    def read(self, columns: list[str] | None = None) -> pa.Table:
        """Its rows."""
        return read_partition(open_store(self.url), self.partition, columns)


@dataclass(frozen=True)
class Survivors:
    """What deduplication compares: documents that no rule rejects, the better ones first."""

    stored: Stored

    def read(self) -> pa.Table:
        """Columns `id`, `text` and `priority`."""
        return self.stored.read(["id", "text", "priority"])


@dataclass(frozen=True)
class Shard:
    """Some documents, and their scores if they have any."""

    number: int
    documents: tuple[Stored, ...]
    scores: tuple[Stored, ...] = ()


@dataclass(frozen=True)
class Job:
    """What every shard is told. `model` is the store with the classifier, "" where there is none; `texts` are what documents
    may have been written from, where the recipe asks for facts."""

    config: FilterConfig
    seed: int
    store: str
    model: str
    texts: tuple[Stored, ...] = ()


def judge(shard: Shard, job: Job) -> Record:
    """Commit scores, rejections and survivors of a shard; what was found out, as a record."""
    documents = pa.concat_tables([part.read() for part in shard.documents]).cast(DOCUMENTS)
    scores = _scores(shard, documents, job)
    rejected = decide(documents, scores, job.config)
    alive = pc.invert(pc.is_in(documents["id"], value_set=rejected["id"].combine_chunks()))
    priority = scores["quality.teaches"].cast(pa.float64())
    survivors = documents.append_column("priority", priority).filter(alive)
    store = open_store(job.store)
    return to_record(Found(
        partitions=[
            write_partition(store, "scores", shard.number, scores.sort_by("id")),
            write_partition(store, "rejected", 2 * shard.number, rejected.sort_by("id")),
        ],
        survivors=[write_partition(survivors_of(store), "documents", shard.number, survivors)],
        taken=Counter(documents["source"].to_pylist()),
        reasons=Counter(zip(rejected["reason"].to_pylist(), rejected["source"].to_pylist(), strict=True)),
        overlap=overlap(documents, scores, job.config),
        quality=_by_source(scores["quality.teaches"], documents["source"]),
        sensitive=_sensitive(scores),
        samples={"rejected": _rejected_samples(documents, rejected, job.seed)},
    ))  # fmt: skip


def survivors_of(store: Store) -> Store:
    """Where what is not yet known to be no copy waits."""
    return store.child("survivors")


@dataclass(frozen=True)
class Rest:
    """A judged shard, and the partition that says who copies whom."""

    number: int
    survivors: Survivors
    copies: Stored


def finish(rest: Rest, job: Job, counter: TokenCounter) -> Record:
    """Commit what is kept of a shard, its tokens counted, and the rejections of its copies; the record of that."""
    documents = rest.survivors.stored.read().select(DOCUMENTS.names)
    copies = rest.copies.read()
    copies = copies.filter(pc.is_in(copies["id"], value_set=documents["id"].combine_chunks()))
    kept = documents.filter(pc.invert(pc.is_in(documents["id"], value_set=copies["id"].combine_chunks())))
    kept = with_tokens(kept.cast(DOCUMENTS), counter).sort_by("id")
    rejected = _copied(copies, documents)
    store = open_store(job.store)
    return to_record(Found(
        partitions=[
            write_partition(store, "documents", rest.number, kept),
            write_partition(store, "rejected", 2 * rest.number + 1, rejected),
        ],
        kept=Counter(kept["source"].to_pylist()),
        reasons=Counter(zip(rejected["reason"].to_pylist(), rejected["source"].to_pylist(), strict=True)),
        licences=Counter(kept["licence"].to_pylist()),
        totals=_totals(kept),
        lengths=_by_source(kept["tokens"], kept["source"]),
        hashes=[row_hashes(kept)],
        samples={
            "rejected": _rejected_samples(documents, rejected, job.seed),
            "kept": _kept_samples(kept, job.seed),
        },
    ))  # fmt: skip


def _scores(shard: Shard, documents: pa.Table, job: Job) -> pa.Table:
    """Those that are there, or made here; with contamination and facts where the recipe asks for them."""
    if shard.scores:
        scores = pa.concat_tables([part.read() for part in shard.scores])
    else:
        model = classifier(open_store(job.model), job.config.classifier) if job.model else None
        scores = score_table(documents, quality=model, toxicity=toxicity(job.config.toxic.classifier))
    more = [contamination(documents, job.config.decontaminate)] if job.config.decontaminate.against else []
    more += [facts_of((documents, _seeds(documents, job)))] if job.config.facts.asked else []
    for table in more:
        for name in table.column_names:
            scores = scores if name == "id" else scores.append_column(name, table[name])
    return scores


def _seeds(documents: pa.Table, job: Job) -> dict[str, str]:
    return seed_texts(documents, (part.read(["id", "text"]) for part in job.texts))


def _copied(copies: pa.Table, documents: pa.Table) -> pa.Table:
    source = dict(zip(documents["id"].to_pylist(), documents["source"].to_pylist(), strict=True))
    rows = [
        Rejection(row["id"], "filter", f"duplicate.{row['kind']}", f"of {row['kept_id']} at {row['jaccard']:.2f}", source[row["id"]])
        for row in copies.to_pylist()
    ]  # fmt: skip
    return rejections_table(rows) if rows else REJECTIONS.empty_table()


def _totals(kept: pa.Table) -> Counter[str]:
    return Counter(
        documents=kept.num_rows,
        tokens=int(pc.sum(kept["tokens"]).as_py() or 0),
        characters=int(pc.sum(pc.utf8_length(kept["text"])).as_py() or 0),
        synthetic=int(pc.sum(pc.equal(kept["source"], SYNTHETIC)).as_py() or 0),
    )


def _by_source(values: pa.ChunkedArray, sources: pa.ChunkedArray) -> dict[str, list[np.ndarray]]:
    names = np.array(sources.to_pylist(), dtype=object)
    return {str(name): [values.to_numpy()[names == name]] for name in np.unique(names)} if len(names) else {}


def _sensitive(scores: pa.Table) -> Counter[tuple[str, str]]:
    found = Counter[tuple[str, str]]()
    for kind in NAMES:
        values = scores[f"sensitive.{kind}"].to_numpy()
        found.update({(kind, "documents"): int((values > 0).sum()), (kind, "findings"): int(values.sum())})
    return found


def _chosen(ids: Sequence[str], seed: int) -> dict[str, str]:
    """Ids of the samples of a shard, and the keys that order them."""
    return {row: key for key, row in sorted((digest("sample", seed, row), row) for row in ids)[:SHOWN]}


def _kept_samples(kept: pa.Table, seed: int) -> list[tuple[str, dict[str, Any]]]:
    chosen = _chosen(kept["id"].to_pylist(), seed)
    rows = kept.filter(pc.is_in(kept["id"], pa.array(list(chosen), pa.string()))).select(
        ["id", "text", "source", "domain", "form"]
    )
    return [(chosen[row["id"]], {**row, "text": redact(row["text"])[0], "verdict": "kept"}) for row in rows.to_pylist()]


def _rejected_samples(documents: pa.Table, rejected: pa.Table, seed: int) -> list[tuple[str, dict[str, Any]]]:
    chosen = _chosen(rejected["id"].to_pylist(), seed)
    why = {row["id"]: row for row in rejected.to_pylist() if row["id"] in chosen}
    texts = documents.filter(pc.is_in(documents["id"], pa.array(list(chosen), pa.string())))
    return [
        (chosen[row["id"]], {
            "id": row["id"], "source": row["source"], "domain": row["domain"], "verdict": "rejected",
            "reason": why[row["id"]]["reason"], "detail": redact(why[row["id"]]["detail"])[0],
            "text": "(withheld)" if why[row["id"]]["reason"].split(".")[0] in NEVER_SHOWN else redact(row["text"])[0],
        })
        for row in texts.select(["id", "text", "source", "domain"]).to_pylist()
    ]  # fmt: skip
