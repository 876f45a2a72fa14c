"""The quality classifier of a run: trained from the recipe's two kinds of text, measured beside a shuffled-label control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xxhash

from corpus.errors import RecipeError
from filters.evaluation import auc, f1
from filters.word_bag import fit_bag

HELD_OUT = 0.1
MIN_GROUPS = 10  # of each kind, below which texts instead of groups are held out
MIN_TEXTS = 10  # of each kind, below which there is nothing to learn or to measure


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Held-out figures at threshold .5. `control` is the AUC after training on shuffled labels, against
    held-out labels shuffled likewise: it must be near .5, or the procedure itself lets labels through."""

    positives: int  # texts given, before the larger kind was cut to the size of the smaller
    negatives: int
    auc: float
    f1: float
    control: float
    held_out: int = 0
    split: str = "texts"  # "groups": no group (package, site) is on both sides
    by_group: dict[str, dict[str, float]] = field(default_factory=dict)  # held-out: texts, mean score, share right


@dataclass(frozen=True, slots=True)
class _Examples:
    texts: np.ndarray  # object
    labels: np.ndarray  # bool, True for what teaches
    groups: np.ndarray  # object

    def where(self, chosen: np.ndarray) -> _Examples:
        return _Examples(self.texts[chosen], self.labels[chosen], self.groups[chosen])


def train_quality(
    positives: Sequence[str],
    negatives: Sequence[str],
    out: Path,
    *,
    seed: int,
    groups: tuple[Sequence[str], Sequence[str]] = ((), ()),
) -> QualityReport:
    """Train on nine tenths, measure on the rest, save to `out` (a file of `WordBag`), atomically.

    `groups` names where each text is from, such as its package or site. Given ten or more of each kind, whole groups
    are held out: texts of one package resemble each other, and a split through it flatters the classifier. Raises
    `RecipeError` for fewer than ten texts of a kind.
    """
    examples = _balanced(positives, negatives, groups, seed)
    held, split = _held_out(examples, seed)
    learn, judge = examples.where(~held), examples.where(held)
    model = fit_bag(learn.texts.tolist(), learn.labels, learn.groups.tolist())
    control = fit_bag(learn.texts.tolist(), _shuffled(learn.labels, seed), learn.groups.tolist())
    model.save(out)
    scores = model.score(judge.texts.tolist())
    return QualityReport(
        positives=len(positives),
        negatives=len(negatives),
        auc=auc(scores, judge.labels),
        f1=f1(scores >= 0.5, judge.labels),
        control=auc(control.score(judge.texts.tolist()), _shuffled(judge.labels, seed + 1)),
        held_out=len(judge.texts),
        split=split,
        by_group=_by_group(scores, judge),
    )


def _balanced(
    positives: Sequence[str], negatives: Sequence[str], groups: tuple[Sequence[str], Sequence[str]], seed: int
) -> _Examples:
    """Both kinds, of the same size, so that the held-out figures are of even kinds, in an order that depends on nothing but the texts."""
    size = min(len(positives), len(negatives))
    if size < MIN_TEXTS:
        raise RecipeError(
            f"a quality classifier needs {MIN_TEXTS} texts of each kind, not {len(positives)} and {len(negatives)}",
            hint="Name more text for the smaller kind, or set filters.quality to 0.",
        )
    kinds = []
    for label, texts, names in ((True, positives, groups[0]), (False, negatives, groups[1])):
        lines = np.array(list(texts), dtype=object)
        named = np.array(list(names) or [""] * len(lines), dtype=object)
        kind = _Examples(lines, np.full(len(lines), label), named)
        kinds.append(kind.where(np.argsort(_unit(lines, seed), kind="stable")[:size]))
    first, second = kinds
    joined = _Examples(
        *(np.concatenate([getattr(first, name), getattr(second, name)]) for name in ("texts", "labels", "groups"))
    )
    return joined.where(np.argsort(_unit(joined.texts, seed + 1), kind="stable"))


def _held_out(examples: _Examples, seed: int) -> tuple[np.ndarray, str]:
    """Which examples are kept apart, and whether by group or by text."""
    if all(len(set(examples.groups[examples.labels == label])) >= MIN_GROUPS for label in (True, False)):
        held = np.zeros(len(examples.texts), dtype=bool)
        names = np.unique(examples.groups.astype(str))
        for name in names[np.argsort(_unit(names, seed + 2), kind="stable")]:
            held |= examples.groups == name
            shares = [held[examples.labels == label].mean() for label in (True, False)]
            if min(shares) >= HELD_OUT:
                if max(shares) <= HELD_OUT * 4:
                    return held, "groups"
                break  # one giant group: without it too little would be left to learn from
    place = np.empty(len(examples.texts), dtype=np.int64)
    for label in (True, False):
        of_label = np.flatnonzero(examples.labels == label)
        place[of_label] = np.arange(len(of_label))
    return place < max(1, int(HELD_OUT * len(place) / 2)), "texts"


def _shuffled(labels: np.ndarray, seed: int) -> np.ndarray:
    """Labels that say nothing: half of each kind is called positive. A plain shuffle leaves some chance majority in a
    kind, and two kinds that are easy to tell apart then score far from .5 in either direction."""
    result = np.zeros(len(labels), dtype=bool)
    generator = np.random.default_rng(seed + 3)
    for label in (True, False):
        members = np.flatnonzero(labels == label)
        result[generator.permutation(members)[: len(members) // 2]] = True
    return result


def _unit(keys: np.ndarray, seed: int) -> np.ndarray:
    """A number in [0, 1) for each key, the same on every machine."""
    return np.array([xxhash.xxh3_64_intdigest(key.encode(), seed=seed) for key in keys], dtype=float) / 2.0**64


def _by_group(scores: np.ndarray, judge: _Examples) -> dict[str, dict[str, float]]:
    result = {}
    for group in sorted(set(judge.groups) - {""}):
        chosen = judge.groups == group
        right = (scores[chosen] >= 0.5) == judge.labels[chosen]
        result[group] = {
            "texts": float(chosen.sum()),
            "mean": float(scores[chosen].mean()),
            "right": float(right.mean()),
        }
    return result
