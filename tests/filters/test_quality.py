from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import RecipeError, SetupError
from filters.classifier import load_scorer
from filters.evaluation import auc, f1
from filters.quality import train_quality

TEACHES = "because therefore example explains means follows reason shows understand consider".split()  # noqa: SIM905
SELLS = "buy cheap offer click discount subscribe deal sale today free".split()  # noqa: SIM905
SHARED = [f"word{number}" for number in range(200)]


def texts(own: list[str], count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choices(own, k=6) + chance.choices(SHARED, k=40)) for _ in range(count)]


@pytest.fixture(scope="module")
def positives() -> list[str]:
    return texts(TEACHES, 300, 1)


@pytest.fixture(scope="module")
def negatives() -> list[str]:
    return texts(SELLS, 300, 2)


def test_it_learns_the_contrast_and_not_shuffled_labels(
    tmp_path: Path, positives: list[str], negatives: list[str]
) -> None:
    report = train_quality(positives, negatives, tmp_path / "q.bin", seed=1)
    assert report.auc > 0.95
    assert report.f1 > 0.9
    assert 0.4 < report.control < 0.6
    assert (report.split, report.held_out) == ("texts", 60)
    assert (tmp_path / "q.bin").stat().st_size < 100e6


def test_scores_are_probabilities_of_the_teaching_kind(
    tmp_path: Path, positives: list[str], negatives: list[str]
) -> None:
    train_quality(positives, negatives, tmp_path / "q.bin", seed=1)
    model = load_scorer(tmp_path / "q.bin")
    good, bad = model.score(texts(TEACHES, 20, 3)), model.score(texts(SELLS, 20, 4))
    assert good.dtype == np.float32
    assert good.min() > bad.max()
    assert ((good >= 0) & (good <= 1)).all()
    assert model.score([]).shape == (0,)
    assert model.score(["", "\x00\n"]).shape == (2,)


def test_the_same_texts_give_the_same_model_in_any_order(
    tmp_path: Path, positives: list[str], negatives: list[str]
) -> None:
    first = train_quality(positives, negatives, tmp_path / "a.bin", seed=1)
    again = train_quality(positives[::-1], negatives[::-1], tmp_path / "b.bin", seed=1)
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes()
    assert first == again


def test_whole_groups_are_held_out_when_there_are_enough(
    tmp_path: Path, positives: list[str], negatives: list[str]
) -> None:
    groups = [f"package{number % 30}" for number in range(300)]
    report = train_quality(positives, negatives, tmp_path / "q.bin", seed=1, groups=(groups, groups))
    assert report.split == "groups"
    assert report.held_out == sum(int(found["texts"]) for found in report.by_group.values())
    assert all(found["texts"] == 20 for found in report.by_group.values())


def test_too_few_texts_are_refused(tmp_path: Path, positives: list[str]) -> None:
    with pytest.raises(RecipeError, match="300 and 3"):
        train_quality(positives, ["a", "b", "c"], tmp_path / "q.bin", seed=1)
    assert not (tmp_path / "q.bin").exists()


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"q\.bin"):
        load_scorer(tmp_path / "q.bin")
    (tmp_path / "x.bin").write_bytes(b"not a model")
    with pytest.raises(SetupError, match=r"x\.bin"):
        load_scorer(tmp_path / "x.bin")


def test_figures_agree_with_counting_pairs() -> None:
    chance = np.random.default_rng(1)
    scores, labels = chance.integers(0, 9, 60) / 9, chance.random(60) < 0.4
    pairs = [(a > b) + (a == b) / 2 for a in scores[labels] for b in scores[~labels]]
    assert auc(scores, labels) == pytest.approx(np.mean(pairs))
    assert f1(np.array([True, True, False]), np.array([True, False, True])) == pytest.approx(0.5)
