"""The quality classifier: fastText over words and word pairs, trained on two sets of documents, scored as P(positive).

A score is a claim until it is measured: training always reports F1 and AUC on groups (packages, sites) that it never
saw, and the same figures for labels that were shuffled, which must be no better than chance.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import xxhash

from corpus.errors import RecipeError, SetupError, StateError
from filters.batch import text_series
from filters.config import QualityConfig
from filters.language import load_fasttext

POSITIVE, NEGATIVE = "__label__positive", "__label__negative"
MIN_DOCUMENTS = 50  # of each class, below which neither training nor the measurement means anything
MIN_GROUPS = 10  # of each class, below which documents instead of groups are held out


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What a classifier is worth, measured on held-out documents at threshold 0.5."""

    f1: float
    auc: float
    shuffled_f1: float  # the same, trained on shuffled labels: the control
    shuffled_auc: float
    majority: float  # accuracy of always answering the larger class
    accuracy: float
    by_source: dict[str, dict[str, float]]  # source -> documents, mean score, accuracy
    split: str  # "groups": no package or site is on both sides; "documents": there were too few for that
    positives: int
    negatives: int
    held_out: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class _Examples:
    lines: np.ndarray  # prepared texts, object
    labels: np.ndarray  # bool, True for positive
    sources: np.ndarray
    groups: np.ndarray
    ids: np.ndarray

    def where(self, mask: np.ndarray) -> _Examples:
        return _Examples(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


def train_quality(positives: pa.Table, negatives: pa.Table, out: Path, config: QualityConfig) -> QualityReport:
    """Train, measure against the shuffled control, and write the model to `out` with its report beside it (`.json`).

    Both tables need `id`, `text`, and may have `source` and `origin`. The same input gives the same bytes: one thread,
    documents in the order of their ids' hashes. Raises `RecipeError` when a class has fewer than 50 usable documents.
    """
    examples = _examples(positives, negatives, config)
    held, split = _held_out(examples, config)
    learn, judge = examples.where(~held), examples.where(held)
    shuffled = np.random.default_rng(config.seed).permutation(learn.labels)
    control = _probabilities(_fit(learn.lines, shuffled, config, None), judge.lines)
    scores = _probabilities(_fit(learn.lines, learn.labels, config, out), judge.lines)
    report = QualityReport(
        f1=_f1(scores, judge.labels),
        auc=_auc(scores, judge.labels),
        shuffled_f1=_f1(control, judge.labels),
        shuffled_auc=_auc(control, judge.labels),
        majority=float(max(judge.labels.mean(), 1 - judge.labels.mean())),
        accuracy=float(((scores >= 0.5) == judge.labels).mean()),
        by_source=_by_source(scores, judge),
        split=split,
        positives=int(learn.labels.sum()),
        negatives=int((~learn.labels).sum()),
        held_out=len(judge.labels),
        bytes=out.stat().st_size,
        sha256=_sha256(out),
    )
    _write(report_path(out), json.dumps(asdict(report), indent=1, sort_keys=True).encode())
    return report


def report_path(model: Path) -> Path:
    """Where a model's report is."""
    return model.with_suffix(".json")


def load_quality(path: Path) -> Any:
    """The model at `path`. Raises `StateError` when its bytes are not those that the report beside it names."""
    if not path.exists():
        raise SetupError(f"there is no quality model at {path}", hint="Train one with train_quality.")
    beside = report_path(path)
    if beside.exists() and json.loads(beside.read_text())["sha256"] != _sha256(path):
        raise StateError(f"{path} is not the model that {beside.name} describes", hint="Train it again.")
    return load_fasttext(path)


def score(texts: pl.Series, path: Path, config: QualityConfig) -> np.ndarray:
    """P(positive) of each text, float32 in 0..1; 0 for a text without a word."""
    return _probabilities(load_quality(path), np.array(prepare(texts, config).to_list(), dtype=object))


def prepare(texts: pl.Series, config: QualityConfig) -> pl.Series:
    """One line a text: lower case, punctuation as words of its own, fastText's label prefix made harmless."""
    lowered = texts.str.slice(0, config.max_characters).str.to_lowercase().str.replace_all("__label__", "label")
    spaced = lowered.str.replace_all(r"([^\w\s])", " $1 ").str.replace_all(r"[\s\x00]+", " ")
    return spaced.str.strip_chars()


def threshold_for(scores: np.ndarray, keep: float) -> float:
    """The score from which the best share `keep` of the documents begins."""
    return float(np.quantile(scores, 1 - keep)) if len(scores) else 0.0


def _examples(positives: pa.Table, negatives: pa.Table, config: QualityConfig) -> _Examples:
    """Both classes, cleaned, in hash order, cut to the same size: fastText does not weigh classes."""
    classes = [_class(table, label, config) for table, label in ((positives, True), (negatives, False))]
    size = min(len(found.labels) for found in classes)
    if size < MIN_DOCUMENTS:
        raise RecipeError(
            f"a quality classifier needs {MIN_DOCUMENTS} documents of each class, not {size}",
            hint="Name more text for the smaller class, or leave the classifier out.",
        )
    balanced = [found.where(np.arange(len(found.labels)) < size) for found in classes]
    joined = _Examples(
        *(np.concatenate([getattr(part, name) for part in balanced]) for name in _Examples.__dataclass_fields__)
    )
    return joined.where(_hash_order(joined.ids, config.seed))


def _class(table: pa.Table, label: bool, config: QualityConfig) -> _Examples:
    lines = prepare(text_series(table), config)
    size = len(lines)

    def column(name: str) -> np.ndarray:
        values = table.column(name).to_pylist() if name in table.column_names else [""] * size
        return np.array([value or "" for value in values], dtype=object)

    sources, origins = column("source"), column("origin")
    groups = [f"{source}:{_group(origin)}" for source, origin in zip(sources, origins, strict=True)]
    found = _Examples(
        np.array(lines.to_list(), dtype=object),
        np.full(size, label),
        sources,
        np.array(groups, dtype=object),
        column("id"),
    )
    found = found.where(lines.str.len_chars().to_numpy() > 0)
    return found.where(_hash_order(found.ids, config.seed))


def _group(origin: str) -> str:
    """The site of a URL, the package or first folder of a path: documents of one group resemble each other."""
    return origin.split("://", 1)[-1].lstrip("/").split("/", 1)[0]


def _held_out(examples: _Examples, config: QualityConfig) -> tuple[np.ndarray, str]:
    enough = all(len(set(examples.groups[examples.labels == label])) >= MIN_GROUPS for label in (True, False))
    keys = examples.groups if enough else examples.ids
    held = _unit(keys, config.seed + 1) < config.held_out
    both = all(0 < held[examples.labels == label].mean() < 0.6 for label in (True, False))
    if enough and not both:  # a few giant groups fell on one side
        held = _unit(examples.ids, config.seed + 1) < config.held_out
    return held, "groups" if enough and both else "documents"


def _unit(keys: np.ndarray, seed: int) -> np.ndarray:
    """A number in [0, 1) for each key, the same on every machine."""
    return np.array([xxhash.xxh3_64_intdigest(str(key).encode(), seed=seed) for key in keys], dtype=float) / 2.0**64


def _hash_order(ids: np.ndarray, seed: int) -> np.ndarray:
    return np.lexsort((ids.astype(str), _unit(ids, seed)))


def _fit(lines: np.ndarray, labels: np.ndarray, config: QualityConfig, out: Path | None) -> Any:
    """Train with one thread (more are not reproducible) and, with `out`, save atomically."""
    import fasttext

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        rows = (f"{POSITIVE if label else NEGATIVE} {line}\n" for line, label in zip(lines, labels, strict=True))
        file.write_text("".join(rows), encoding="utf-8")
        model = fasttext.train_supervised(
            str(file),
            dim=config.dim,
            bucket=config.buckets,
            wordNgrams=config.word_ngrams,
            epoch=config.epochs,
            minCount=2,
            thread=1,
            seed=config.seed,
            verbose=0,
        )
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished = out.with_name(f".{out.name}.{os.getpid()}")
        model.save_model(str(unfinished))
        os.replace(unfinished, out)
    return model


def _probabilities(model: Any, lines: np.ndarray) -> np.ndarray:
    labels, values = model.predict(list(lines), k=2)
    rows = (dict(zip(names, numbers, strict=True)) for names, numbers in zip(labels, values, strict=True))
    return np.clip([row.get(POSITIVE, 0.0) for row in rows], 0, 1).astype(np.float32)


def _f1(scores: np.ndarray, labels: np.ndarray) -> float:
    found = scores >= 0.5
    right = (found & labels).sum()
    return float(2 * right / max(found.sum() + labels.sum(), 1))


def _auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """The chance that a positive scores above a negative; ties count half."""
    values, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives, negatives = labels.sum(), (~labels).sum()
    return float((ranks[labels].sum() - positives * (positives + 1) / 2) / max(positives * negatives, 1))


def _by_source(scores: np.ndarray, judge: _Examples) -> dict[str, dict[str, float]]:
    result = {}
    for source in sorted(set(judge.sources)):
        chosen = judge.sources == source
        hits = (scores[chosen] >= 0.5) == judge.labels[chosen]
        result[str(source)] = {
            "documents": int(chosen.sum()),
            "mean_score": float(scores[chosen].mean()),
            "accuracy": float(hits.mean()),
        }
    return result


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write(path: Path, data: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(data)
    os.replace(unfinished, path)
