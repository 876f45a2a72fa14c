"""A fastText classifier for what teaches: our own, or a published one with labels of its own.

DCLM's shape (uni- and bigrams, supervised) at a thirteenth of its size: dim 32 and 200,000 buckets cost no accuracy
against the default and are twice as fast (measured). One thread, so that the same input gives the same model.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from corpus.errors import SetupError
from filters.language import load_fasttext
from filters.word_bag import even_weights

POSITIVE, NEGATIVE = "__label__teaches", "__label__other"
CHARACTERS = 2000  # of each text: the beginning says enough, and long texts must not outvote short ones
OPTIONS: dict[str, Any] = {
    "dim": 32,
    "bucket": 200_000,
    "wordNgrams": 2,
    "epoch": 8,
    "lr": 0.4,
    "thread": 1,  # more are not reproducible, whatever the seed
    "verbose": 0,
    "minCount": 2,
}
TUNED_SIZE = "95M"  # of a model that fastText tunes by itself
JUDGES = 0.2  # of the sources, by which it tunes


def flatten(texts: pl.Series) -> pl.Series:
    """One lower-case line a text, without line feeds or anything that fastText would take for a label. Punctuation stands
    alone: how a text is punctuated tells more across sources than which word a comma follows."""
    lowered = texts.str.slice(0, CHARACTERS).str.to_lowercase().str.replace_all("__label__", " ", literal=True)
    lowered = lowered.str.replace_all(r"([^\w\s])", " $1 ")
    return lowered.str.replace_all(r"[\s\x00]+", " ").str.strip_chars()


def one_line(texts: pl.Series) -> pl.Series:
    """Only the line feeds taken out: what published models were trained on (DCLM, and the copies of FineWeb-Edu)."""
    return texts.str.replace_all(r"[\n\r\x00]+", " ")


@dataclass(frozen=True)
class FastText:
    """A fastText model. `points` says what each label is worth: the score is their mean over its probabilities."""

    model: Any
    points: Mapping[str, float] = field(default_factory=lambda: {POSITIVE: 1.0})
    prepare: Callable[[pl.Series], pl.Series] = flatten

    def score(self, texts: Sequence[str] | pl.Series) -> np.ndarray:
        """float32 in [0, 1], one a text; that of an empty line for a text without words."""
        series = texts if isinstance(texts, pl.Series) else pl.Series(texts, dtype=pl.String)
        lines = self.prepare(series).to_list()
        if not lines:
            return np.zeros(0, np.float32)
        labels, values = self.model.predict(lines, k=-1)
        rows = (zip(names, numbers, strict=True) for names, numbers in zip(labels, values, strict=True))
        told = [sum(self.points.get(name, 0.0) * float(number) for name, number in row) for row in rows]
        return np.clip(np.array(told, np.float32), 0.0, 1.0)

    def save(self, out: Path) -> None:
        """One file in fastText's own format, written atomically."""
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished = out.with_name(f".{out.name}.{os.getpid()}")
        self.model.save_model(str(unfinished))
        os.replace(unfinished, out)


def fit_fasttext(
    texts: Sequence[str], labels: np.ndarray, *, sources: Sequence[str] | None = None, seed: int, tune: int = 0
) -> FastText:
    """Learn from texts and labels (bool [n]); every source of a kind weighs the same, by repeating its texts.

    With `tune` seconds fastText looks for its own options within `TUNED_SIZE`, judged by a fifth of the sources, which it
    does not learn from. How far it comes in that time depends on the machine, so the model does too.
    """
    import fasttext

    lines = flatten(pl.Series(texts, dtype=pl.String)).to_list()
    names = np.zeros(len(lines)) if sources is None else np.asarray(sources, object)
    judges = _judges(labels, names.astype(str), seed) if tune else np.zeros(len(lines), bool)
    rows = drawn(labels[~judges], names[~judges], seed)
    learn = np.flatnonzero(~judges)[rows]
    with tempfile.TemporaryDirectory() as folder:
        path = _written(Path(folder) / "learn.txt", lines, labels, learn)
        if not tune:
            return FastText(fasttext.train_supervised(path, seed=seed, **OPTIONS))
        judged = _written(Path(folder) / "judge.txt", lines, labels, np.flatnonzero(judges))
        tuning = {"autotuneValidationFile": judged, "autotuneDuration": tune, "autotuneModelSize": TUNED_SIZE}
        return FastText(fasttext.train_supervised(path, seed=seed, thread=1, verbose=0, **tuning))


def drawn(labels: np.ndarray, sources: np.ndarray, seed: int) -> np.ndarray:
    """Row numbers in a mixed order, as many as there are texts or more, so repeated that both kinds have the same number
    and each source of a kind about the same: fastText weighs no classes. No text is left out or more than 20 times there."""
    weights = np.clip(even_weights(labels, sources), 0.05, None)
    draw = np.random.default_rng(seed)
    times = np.clip(np.floor(weights / weights.min() + draw.random(len(weights))), 1, 20).astype(np.int64)
    kinds = [np.repeat(np.flatnonzero(labels == kind), times[labels == kind]) for kind in (True, False)]
    size = min(max(len(rows) for rows in kinds), 2 * len(labels))
    return draw.permutation(np.concatenate([np.resize(draw.permutation(rows), size) for rows in kinds]))


def load_fasttext_classifier(
    path: Path, points: Mapping[str, float] | None = None, prepare: Callable[[pl.Series], pl.Series] | None = None
) -> FastText:
    """A model of a file: ours, or one whose labels `points` names. Raises `SetupError` where it is no fastText model, and
    where its labels are none of those."""
    model = load_fasttext(path)
    wanted = dict(points) if points else {POSITIVE: 1.0}
    if not set(wanted) & set(model.labels):
        raise SetupError(
            f"{path}: its labels are {', '.join(sorted(model.labels)[:6])}, and none of {', '.join(wanted)}",
            hint="say what its labels are worth: NAME.bin@LABEL=1,LABEL=0.5",
        )
    return FastText(model, wanted, prepare or (flatten if POSITIVE in wanted else one_line))


def _judges(labels: np.ndarray, sources: np.ndarray, seed: int) -> np.ndarray:
    """Which texts judge while tuning, bool [n]: whole sources of each kind, or texts where a kind has but one source."""
    draw = np.random.default_rng(seed)
    chosen = np.zeros(len(labels), bool)
    for kind in (True, False):
        names = np.unique(sources[labels == kind])
        if len(names) > 1:
            some = draw.permutation(names)[: max(1, int(JUDGES * len(names)))]
            chosen |= (labels == kind) & np.isin(sources, some)
        else:
            chosen |= (labels == kind) & (draw.random(len(labels)) < JUDGES)
    return chosen


def _written(path: Path, lines: Sequence[str], labels: np.ndarray, rows: np.ndarray) -> str:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{POSITIVE if labels[row] else NEGATIVE} {lines[row]}\n" for row in rows)
    return str(path)
