"""score: statistics of every document that was read, and the quality classifier, trained from the recipe's contrast."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import RecipeError
from corpus.facts import Fact, number, table
from corpus.hub import fetch_file
from corpus.manifest import Balance, Manifest, tables_of
from corpus.shards import Partition, read_partition, write_partition
from corpus.store import Store, open_store
from filters.chain import score_table
from filters.classifier import Classifier, load_scorer
from filters.config import FilterConfig
from filters.published import open_classifier
from filters.quality import QualityReport, train_quality
from ray_jobs.line import Line
from ray_jobs.stage import Made, Stage

MODEL = "quality.bin"
HELD = {"groups": "whole packages or sites at a time", "texts": "from the same packages or sites as the training text"}
COLUMNS = ["id", "text", "origin", "domain"]
EXAMPLES = 1500  # of each kind: enough for a held-out AUC within .01, trained in seconds


@dataclass(frozen=True)
class Task:
    """One partition to score."""

    index: int
    partition: Partition
    source: str
    store: str
    toxic: str
    classifier: str | None = None


def stage(line: Line, read: Manifest) -> Stage:
    """The stage of this recipe."""
    filters = line.recipe.filters
    config = {
        "positive": list(filters.quality_positive),
        "negative": list(filters.quality_negative),
        "quality": wanted(filters),
        "classifier": filters.classifier,
        "seed": line.recipe.seed,
    }
    return Stage("score", config, {read.stage: read}, lambda store: _work(line, read, store), version="4")


def _work(line: Line, read: Manifest, store: Store) -> Made:
    source = line.folder.child(read.stage)
    facts: dict[str, Fact] = {}
    named = line.recipe.filters.classifier if wanted(line.recipe.filters) else None
    if wanted(line.recipe.filters) and named is None:
        facts["quality"] = _quality_fact(_train(line, tables_of(source, read, "documents", COLUMNS), store))
    toxic = line.recipe.filters.toxic.classifier
    tasks = [Task(index, item, source.url, store.url, toxic, named) for index, item in enumerate(read.of("documents"))]
    partitions = tuple(line.passes.map(score_one, tasks))
    rows = sum(item.rows for item in partitions)
    facts["scored"] = number("Documents scored", rows)
    return Made(partitions, Balance(taken=rows, kept=rows), facts=facts, totals={"documents": rows})


def score_one(task: Task) -> Partition:
    """Score a partition and commit the scores."""
    store = open_store(task.store)
    documents = read_partition(open_store(task.source), task.partition)
    scores = score_table(documents, quality=classifier(store, task.classifier), toxicity=toxicity(task.toxic))
    return write_partition(store, "scores", task.index, scores)


@lru_cache(maxsize=2)
def toxicity(path: str) -> Classifier | None:
    """The classifier of toxic text that a recipe names, read once a process; every worker needs to see the file."""
    return load_scorer(Path(path)) if path else None


def wanted(filters: FilterConfig) -> bool:
    """Whether anything asks for the score."""
    return filters.quality > 0 or filters.quality_top is not None


def classifier(store: Store, named: str | None = None) -> Classifier | None:
    """The classifier that the recipe names, else the one that the run trained, or None when it wants none. A model is
    loaded from a file."""
    if named:
        return open_classifier(named, fetch_file)
    if not store.exists(MODEL):
        return None
    if store.local:
        return load_scorer(store.local / MODEL)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MODEL
        path.write_bytes(store.read(MODEL))
        return load_scorer(path)


def _train(line: Line, parts: Iterable[pa.Table], store: Store) -> QualityReport:
    filters = line.recipe.filters
    kinds = _examples(parts, (filters.quality_positive, filters.quality_negative))
    positives, negatives = (kind["text"].to_pylist() for kind in kinds)
    if min(len(positives), len(negatives)) < 50:
        raise RecipeError(
            f"filters.quality: {len(positives)} texts of the teaching kind and {len(negatives)} of the other; 50 of each are needed",
            hint="name domains in filters.quality_positive and quality_negative, or set filters.quality to 0",
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MODEL
        homes = tuple([home_of(origin) for origin in kind["origin"].to_pylist()] for kind in kinds)
        report = train_quality(positives, negatives, path, seed=line.recipe.seed, groups=(homes[0], homes[1]))
        store.commit(MODEL, path.read_bytes())
    return report


def _examples(parts: Iterable[pa.Table], kinds: Sequence[tuple[str, ...]]) -> list[pa.Table]:
    """Of each kind the texts with the smallest ids, a partition in memory at a time."""
    found: list[list[pa.Table]] = [[] for _ in kinds]
    for part in parts:
        for held, domains in zip(found, kinds, strict=True):
            held.append(part.filter(pc.is_in(part["domain"], pa.array(domains, pa.string()))))
            held[:] = [pa.concat_tables(held).sort_by("id").slice(0, EXAMPLES).combine_chunks()]
    return [held[0] if held else pa.table({name: pa.array([], pa.string()) for name in COLUMNS}) for held in found]


def home_of(origin: str) -> str:
    """What texts of one author or template share: the site of a URL, the package or the file of a locator."""
    if "://" in origin:
        return urlsplit(origin).netloc
    package = origin.partition("/")[0]
    return package if "==" in package else origin.rpartition("#")[0] or origin


def _quality_fact(report: QualityReport) -> Fact:
    rows = [[report.positives, report.negatives, round(report.auc, 3), round(report.f1, 3), round(report.control, 3)]]
    return table(
        "Quality classifier on held-out text",
        ["teaching texts", "other texts", "AUC", "F1", "AUC, shuffled labels"],
        rows,
        caption=f"{report.held_out:,} texts were held out, {HELD[report.split]}. It shows that the contrast was learned, "
        "not that it is the right one. The control must be near .5.",
    )
