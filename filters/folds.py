"""Leave one source out: a classifier is judged on sources that it has never seen, each of them in its turn.

A teaching source is left out together with a share of the other sources, so that the threshold comes from texts of
sources that are as unknown as the one that is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xxhash

from corpus.errors import RecipeError
from filters.evaluation import Evaluation, auc, evaluate, threshold_for

OTHERS = 3  # folds that the other sources are dealt to


@dataclass(frozen=True)
class Examples:
    """Texts, whether each teaches, and the source of each; `grades` where a judge gave points."""

    texts: list[str]
    labels: np.ndarray  # bool
    sources: np.ndarray  # object
    grades: np.ndarray | None = None

    def where(self, chosen: np.ndarray) -> Examples:
        """Some of them."""
        grades = None if self.grades is None else self.grades[chosen]
        return Examples(
            [self.texts[row] for row in np.flatnonzero(chosen)], self.labels[chosen], self.sources[chosen], grades
        )


Fit = Callable[[Examples], Callable[[Sequence[str]], np.ndarray]]


def leave_one_source_out(examples: Examples, fit: Fit, *, a_source: int = 1000, seed: int = 17) -> Evaluation:
    """Every source in its turn; `fit` learns from examples and gives back a scorer. At most `a_source` texts of
    a source are learned from, so that no source outvotes the others.

    Scores of different folds are compared by their distance to the fold's own threshold. Raises `RecipeError` where
    there are fewer than two sources of a kind.
    """
    kept: list[tuple[np.ndarray, np.ndarray, float]] = []
    for held in folds(examples, seed):
        learn = examples.where(~held & capped(examples, a_source, seed))
        scorer = fit(learn)
        judged = examples.where(held)
        scores = scorer(judged.texts)
        kept.append((np.flatnonzero(held), scores, threshold_for(scores[~judged.labels])))
    rows, values = _joined(kept)
    found = examples.where(np.isin(np.arange(len(examples.labels)), rows))
    order = np.argsort(rows, kind="stable")
    return evaluate(values[order], found.labels, found.sources.tolist(), found.grades, threshold=0.5)


def shuffled_control(examples: Examples, fit: Fit, *, a_source: int = 1000, seed: int = 17) -> float:
    """AUC of the first fold after learning labels that were dealt anew within each source: near .5, or labels leak."""
    held = next(folds(examples, seed))
    learn = examples.where(~held & capped(examples, a_source, seed))
    draw = np.random.default_rng(seed)
    labels = learn.labels.copy()
    for name in set(learn.sources):
        own = np.flatnonzero(learn.sources == name)
        labels[own] = False
        labels[draw.permutation(own)[: len(own) // 2]] = True
    judged = examples.where(held)
    fake = judged.labels.copy()
    for name in set(judged.sources):
        own = np.flatnonzero(judged.sources == name)
        fake[own] = False
        fake[draw.permutation(own)[: len(own) // 2]] = True
    return auc(fit(replace(learn, labels=labels))(judged.texts), fake)


def folds(examples: Examples, seed: int) -> Iterator[np.ndarray]:
    """Masks, bool [n]: one teaching source and a share of the other sources."""
    teaching = sorted(set(examples.sources[examples.labels]))
    others = sorted(
        set(examples.sources[~examples.labels]), key=lambda name: xxhash.xxh3_64_intdigest(f"{seed}\0{name}".encode())
    )
    if min(len(teaching), len(others)) < 2:
        raise RecipeError(
            f"{len(teaching)} teaching sources and {len(others)} others: two of each are needed to leave one out",
            hint="name the column that tells sources apart with --source-field",
        )
    shares = [others[start :: min(OTHERS, len(others))] for start in range(min(OTHERS, len(others)))]
    for turn, name in enumerate(teaching):
        yield np.isin(examples.sources, [name, *shares[turn % len(shares)]])


def capped(examples: Examples, most: int, seed: int) -> np.ndarray:
    """Which texts are learned from, bool [n]: at most `most` of a source, chosen by their content."""
    keys = np.array(
        [xxhash.xxh3_64_intdigest(text[:500].encode("utf-8", "replace"), seed=seed) for text in examples.texts]
    )
    chosen = np.zeros(len(keys), bool)
    for name in set(examples.sources):
        own = np.flatnonzero(examples.sources == name)
        chosen[own[np.argsort(keys[own], kind="stable")[:most]]] = True
    return chosen


def _joined(kept: Sequence[tuple[np.ndarray, np.ndarray, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Each row once, its scores moved so that the fold's threshold is .5; a row of several folds has their mean."""
    total: dict[int, list[float]] = {}
    for rows, scores, cut in kept:
        for row, score in zip(rows.tolist(), _moved(scores, cut).tolist(), strict=True):
            total.setdefault(row, []).append(score)
    rows = np.array(sorted(total), np.int64)
    return rows, np.array([float(np.mean(total[row])) for row in rows.tolist()])


def _moved(scores: np.ndarray, cut: float) -> np.ndarray:
    """Scores in [0, 1] with the threshold at .5: a straight line on each side."""
    low = np.divide(scores, 2 * cut, out=np.zeros_like(scores, dtype=float), where=cut > 0)
    high = 0.5 + np.divide(scores - cut, 2 * (1 - cut), out=np.full_like(scores, 0.5, dtype=float), where=cut < 1)
    return np.where(scores < cut, low, np.clip(high, 0.5, 1.0))
