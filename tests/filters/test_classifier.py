"""One interface for three kinds: each learns, is the same when loaded again, and is judged on sources it has not seen."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import RecipeError, SetupError
from filters.classifier import KINDS, Kind, load, train
from filters.folds import Examples, capped, folds, leave_one_source_out, shuffled_control
from filters.vectors import unit
from tests.fakes.teaching import OTHER, TEACHING, THINGS


def text(teaches: bool, source: int, draw: random.Random) -> str:
    """Phrases of its kind among things of its source."""
    things = random.Random(source).sample(THINGS, 5)
    parts = [draw.choice(TEACHING if teaches else OTHER).format(draw.choice(things)) for _ in range(8)]
    return ". ".join(parts)


@pytest.fixture(scope="module")
def examples() -> Examples:
    draw = random.Random(1)
    rows = [(text(teaches, source, draw), teaches, f"{'books' if teaches else 'pages'}-{source}")
            for teaches in (True, False) for source in range(4) for _ in range(40)]  # fmt: skip
    return Examples(
        [row[0] for row in rows], np.array([row[1] for row in rows]), np.array([row[2] for row in rows], object)
    )


def embed(texts: Sequence[str]) -> np.ndarray:
    """Counts of the phrases' words: an embedding small enough to know."""
    words = sorted({word for phrase in [*TEACHING, *OTHER] for word in phrase.split() if word != "{}"})
    return unit(np.array([[one.count(word) + 0.1 for word in words] for one in texts], float))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_learned_is_the_same_after_saving(kind: Kind, examples: Examples, tmp_path: Path) -> None:
    model = train(kind, examples.texts, examples.labels, seed=3, embed=embed, embedding="words")
    scores = model.score(examples.texts)
    assert scores.dtype == np.float32
    assert scores.min() >= 0
    assert scores.max() <= 1
    assert scores[examples.labels].mean() > 0.8 > 0.2 > scores[~examples.labels].mean()
    model.save(tmp_path / "model")
    again = load(tmp_path / "model", lambda name: {"words": embed}[name])
    assert np.array_equal(again.score(examples.texts), scores)


def test_a_head_without_an_embedding_and_a_folder_that_is_none_are_refused(examples: Examples, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="needs an embedding"):
        train("linear", examples.texts, examples.labels, seed=3)
    with pytest.raises(SetupError, match="no classifier"):
        load(tmp_path, lambda name: embed)


def test_every_fold_leaves_out_a_whole_teaching_source_and_some_others(examples: Examples) -> None:
    seen: list[str] = []
    for held in folds(examples, 3):
        out, left = set(examples.sources[held]), set(examples.sources[~held])
        assert not out & left
        teaching = [name for name in out if name.startswith("books")]
        assert len(teaching) == 1
        assert any(name.startswith("pages") for name in out & out)
        seen += teaching
    assert sorted(seen) == [f"books-{number}" for number in range(4)]


def test_unseen_sources_are_told_apart_and_shuffled_labels_are_not(examples: Examples) -> None:
    def fit(some: Examples) -> Callable[[Sequence[str]], np.ndarray]:
        return train("linear", some.texts, some.labels, seed=3, embed=embed, embedding="words").score

    found = leave_one_source_out(examples, fit, seed=3)
    assert found.texts == len(examples.texts)
    assert found.auc > 0.95
    assert found.worst is not None
    assert found.worst.passed > 0.85
    assert abs(shuffled_control(examples, fit, seed=3) - 0.5) < 0.2


def test_one_source_cannot_be_left_out_of_itself(examples: Examples) -> None:
    one = Examples(examples.texts, examples.labels, np.where(examples.labels, "books", "pages").astype(object))
    with pytest.raises(RecipeError, match="two of each"):
        list(folds(one, 3))


def test_no_source_outvotes_the_others(examples: Examples) -> None:
    chosen = capped(examples, 7, 3)
    assert all((chosen & (examples.sources == name)).sum() == 7 for name in set(examples.sources))
