"""One interface for what teaches and what does not: over all text the words that it holds, or fastText; over a sample an
embedding with a head.

A head is kept as the examples that it learned from, vectors and labels, and fitted again when it is loaded: that takes
a moment, is the same every time, and no file of somebody else's is ever unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import polars as pl

from corpus.errors import RecipeError, SetupError
from filters.fasttext_classifier import fit_fasttext, load_fasttext_classifier
from filters.quality import MIN_TEXTS
from filters.vectors import Embed
from filters.word_bag import fit_bag, is_bag, load_bag

Kind = Literal["words", "fasttext", "linear", "forest"]
KINDS: tuple[Kind, ...] = ("words", "fasttext", "linear", "forest")
HEAD, EXAMPLES = "head.json", "examples.npz"


class Classifier(Protocol):
    """Gives each text the probability, float32 in [0, 1], that it teaches."""

    def score(self, texts: Sequence[str] | pl.Series) -> np.ndarray:
        """One number a text."""
        ...

    def save(self, out: Path) -> None:
        """Write it: a file, or the folder of a head."""
        ...


@dataclass(frozen=True)
class Head:
    """A linear head or a random forest (phi-1) on an embedding; `name` says which embedding."""

    kind: Kind
    vectors: np.ndarray  # float16 [n, d]
    labels: np.ndarray  # bool [n]
    embed: Embed
    name: str
    seed: int
    model: Any

    def score(self, texts: Sequence[str] | pl.Series) -> np.ndarray:
        """See `Classifier`."""
        return self.model.predict_proba(self.embed(list(texts)))[:, 1].astype(np.float32)

    def save(self, out: Path) -> None:
        """A folder with the examples, and what is to be fitted to them."""
        out.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(out / EXAMPLES, vectors=self.vectors, labels=self.labels)
        facts = {"kind": self.kind, "embedding": self.name, "seed": self.seed, "dimensions": int(self.vectors.shape[1])}
        (out / HEAD).write_text(json.dumps(facts), "utf-8")


def train(
    kind: Kind,
    texts: Sequence[str],
    labels: np.ndarray,
    *,
    seed: int,
    sources: Sequence[str] | None = None,
    embed: Embed | None = None,
    embedding: str = "",
    tune: int = 0,
) -> Classifier:
    """Learn from texts and labels (bool). Where `sources` names where each text is from, none of them outvotes the others.
    A head needs `embed`; `tune` are seconds for fastText. Raises `RecipeError` for fewer than ten texts of a kind."""
    few = min(int(labels.sum()), int((~labels).sum()))
    if few < MIN_TEXTS:
        raise RecipeError(f"a classifier needs {MIN_TEXTS} texts of each kind, and has {few} of one")
    if kind == "words":
        return fit_bag(texts, labels, sources)
    if kind == "fasttext":
        return fit_fasttext(texts, labels, sources=sources, seed=seed, tune=tune)
    if embed is None:
        raise RecipeError(f"`{kind}` needs an embedding", hint="name one with --embedding FOLDER")
    vectors = embed(texts).astype(np.float16)
    return Head(kind, vectors, labels, embed, embedding, seed, _fitted(kind, vectors, labels, seed))


def load_scorer(path: Path) -> Classifier:
    """A classifier of a file, whichever of the two kinds wrote it: one that scores whole corpora. Raises `SetupError` where
    there is none."""
    if not path.is_file():
        raise SetupError(f"there is no classifier at {path}", hint="Train one, or set filters.quality to 0.")
    return load_bag(path) if is_bag(path) else load_fasttext_classifier(path)


def load(path: Path, embed_by: Callable[[str], Embed]) -> Classifier:
    """What `save` wrote; `embed_by` opens the embedding that a head names. Raises `SetupError` for anything else."""
    if path.is_file():
        return load_scorer(path)
    try:
        facts = json.loads((path / HEAD).read_bytes())
        with np.load(path / EXAMPLES, allow_pickle=False) as file:
            vectors, labels = file["vectors"], file["labels"]
        kind = next(one for one in KINDS if one == facts["kind"])
    except (OSError, ValueError, KeyError, StopIteration) as error:
        raise SetupError(f"{path}: no classifier: {error}", hint="hornbook filter classifier train") from None
    model = _fitted(kind, vectors, labels, facts["seed"])
    return Head(kind, vectors, labels, embed_by(facts["embedding"]), facts["embedding"], facts["seed"], model)


def _fitted(kind: Kind, vectors: np.ndarray, labels: np.ndarray, seed: int) -> Any:
    values = vectors.astype(np.float32)
    if kind == "linear":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=4.0, max_iter=2000, class_weight="balanced").fit(values, labels)
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(200, min_samples_leaf=3, class_weight="balanced", random_state=seed, n_jobs=1).fit(
        values, labels
    )
