"""A quality classifier from plain files: texts that teach and texts that do not, or texts with a judge's points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpus.document import Document, Rejection
from corpus.errors import RecipeError, SetupError
from corpus.hub import fetch_file
from corpus.readers import read_files
from filters.classifier import Classifier, Kind, train
from filters.evaluation import Evaluation, auc, evaluate
from filters.folds import Examples, leave_one_source_out, shuffled_control
from filters.published import open_classifier
from filters.vectors import Embed
from ray_jobs.plain_files import unread
from ray_jobs.sink import placed, read_columns

UNSEEN = "each judged by a classifier that has not seen its source"
LEAST = 200  # characters: shorter texts say too little to learn from


def train_files(examples: Examples, kind: Kind, out: str | Path, embedding: str, seed: int, tune: int = 0) -> list[str]:
    """Learn from all examples and write the classifier."""
    model = learner(kind, embedding, seed, tune)(examples)
    with placed(out) as path:
        model.save(path)
        size = path.stat().st_size if path.is_file() else sum(item.stat().st_size for item in path.iterdir())
    taught = int(examples.labels.sum())
    return [
        f"{taught:,} texts that teach and {len(examples.texts) - taught:,} others learned, {size / 1e6:.1f} MB",
        f"wrote {out}",
    ]


def evaluate_files(examples: Examples, kind: Kind, embedding: str, seed: int, tune: int = 0) -> list[str]:
    """Leave every source out in its turn, and tell how it went, the shuffled control beside it."""
    learn = learner(kind, embedding, seed, tune)

    def fit(some: Examples) -> Callable[[Sequence[str]], np.ndarray]:
        return learn(some).score

    found = leave_one_source_out(examples, fit, seed=seed)
    return list(
        _told(found, shuffled_control(examples, fit, seed=seed), "labels" if examples.grades is None else "points")
    )


def check_files(files: Sequence[str], named: str, field: str, label_field: str, teaches: Sequence[str]) -> list[str]:
    """How a classifier that is there already does on texts with labels: rows whose `label_field` is one of `teaches` against
    all others."""
    rejected: list[Rejection] = []
    rows = list(_long(files, field, label_field, rejected))
    said = [row.domain or "" for row in rows]
    labels = np.isin(np.array(said, object), list(teaches))
    if not labels.any() or labels.all():
        raise RecipeError(
            f"{int(labels.sum()):,} of {len(rows):,} texts have a `{label_field}` among {', '.join(teaches)}",
            hint=f"values there: {', '.join(sorted(set(said))[:8])}",
        )
    scores = open_classifier(named, fetch_file).score([row.text for row in rows])
    shuffled = np.random.default_rng(17).permutation(labels)
    return [
        *_told(
            evaluate(scores, labels, said),
            auc(scores, shuffled),
            "labels",
            "judged by a classifier that did not learn from these labels",
        ),
        *unread(rejected),
    ]


def learner(kind: Kind, embedding: str, seed: int, tune: int = 0) -> Callable[[Examples], Classifier]:
    """What makes a classifier of examples; the embedding is opened once."""
    embed = embed_of(kind, embedding)

    def learn(some: Examples) -> Classifier:
        sources = some.sources.tolist()
        return train(
            kind, some.texts, some.labels, seed=seed, sources=sources, embed=embed, embedding=embedding, tune=tune
        )

    return learn


def contrast(
    teaches: Sequence[str], others: Sequence[str], field: str, source_field: str | None
) -> tuple[Examples, list[str]]:
    """Two kinds of files; the source of a text is its domain, else its file. Also what could not be read."""
    rejected: list[Rejection] = []
    rows = [
        (row, label)
        for label, files in ((True, teaches), (False, others))
        for row in _long(files, field, source_field, rejected)
    ]
    if not rows:
        raise RecipeError("no readable document in these files", hint="; ".join(row.detail for row in rejected[:3]))
    names = np.array([row.domain or row.origin.partition(":")[0].partition("#")[0] for row, _ in rows], object)
    return Examples([row.text for row, _ in rows], np.array([label for _, label in rows], bool), names), unread(
        rejected
    )


def judged(
    files: Sequence[str], scores: str | Path, from_points: float, field: str, source_field: str | None
) -> tuple[Examples, list[str]]:
    """Texts with the points of `hornbook filter judge`; from `from_points` on a text teaches."""
    try:
        table = read_columns(scores, ["id", "score"])
    except (OSError, pa.ArrowException, KeyError) as error:
        raise SetupError(
            f"{scores}: no file of judgements: {str(error).splitlines()[0]}", hint="hornbook filter judge"
        ) from None
    points = dict(zip(table["id"].to_pylist(), table["score"].to_pylist(), strict=True))
    rejected: list[Rejection] = []
    rows = [
        row
        for row in _long(files, field, source_field, rejected)
        if points.get(row.id) == points.get(row.id) and row.id in points
    ]
    if not rows:
        raise RecipeError(
            f"none of the documents has points in {scores}", hint="judge the same files, with the same names"
        )
    grades = np.array([points[row.id] for row in rows], float)
    names = np.array([row.domain or row.origin.partition(":")[0].partition("#")[0] for row in rows], object)
    return Examples([row.text for row in rows], grades >= from_points, names, grades), unread(rejected)


def embed_of(kind: Kind, embedding: str) -> Embed | None:
    """The embedding that a head needs: a folder with a sentence encoder. None for what reads words."""
    if kind in ("words", "fasttext"):
        return None
    from generator.local_embed import load_encoder

    return load_encoder(embedding)


def _long(files: Sequence[str], field: str, source_field: str | None, rejected: list[Rejection]) -> Iterator[Document]:
    for row in read_files(files, text_field=field, domain_field=source_field) if files else ():
        if isinstance(row, Rejection):
            rejected.append(row)
        elif len(row.text) >= LEAST:
            yield row


def _told(found: Evaluation, control: float, against: str, seen: str = UNSEEN) -> Iterator[str]:
    yield f"{found.texts:,} texts of {len(found.sources)} sources, {seen}"
    yield f"AUC {found.auc:.3f}   F1 {found.f1:.3f}   recall {found.recall:.3f} where a tenth of the others come through"
    yield f"rank correlation {found.rank:.3f} with the {against}   calibration error {found.calibration:.3f}   AUC after shuffled labels {control:.3f} (must be near .5)"
    yield f"{'source':<40} {'kind':<8} {'texts':>7} {'mean':>6} {'passed':>7}"
    for row in sorted(found.sources, key=lambda row: (not row.teaches, row.passed)):
        yield f"{row.source[:40]:<40} {'teaches' if row.teaches else 'other':<8} {row.texts:>7,} {row.mean:>6.2f} {row.passed:>7.3f}"
    for low, high, count, share in found.bands:
        yield f"score {low:.1f} to {high:.1f}: {count:>7,} texts" + (f", {share:.1%} of them teach" if count else "")
    if found.worst:
        yield f"worst: {found.worst.source}, {found.worst.passed:.3f} of its texts pass"
