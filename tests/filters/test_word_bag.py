"""Which words a text holds: counted once, weighed evenly, and the same in any batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from corpus.errors import SetupError
from filters.word_bag import PLACES_BITS, WordBag, even_weights, fit_bag, load_bag, places


def held(*texts: str) -> list[set[int]]:
    found = places(pl.Series(texts, dtype=pl.String))
    return [set(found.columns[start:end]) for start, end in zip(found.offsets[:-1], found.offsets[1:], strict=True)]


def test_a_word_counts_once_and_pairs_do_not_cross_texts() -> None:
    once, often, two = held("Water boils.", "water boils . water boils. WATER boils.", "boils. water")
    assert len(once) == 5, "three pieces and the two pairs of them"
    assert often - once == held(". water")[0] - held(".")[0] - held("water")[0]
    assert two != once
    assert held("a b", "c d") == [held("a b")[0], held("c d")[0]]


def test_ideographs_and_signs_are_pieces() -> None:
    assert len(held("水在沸腾。")[0]) == 9
    assert held("水在")[0] < held("水在沸")[0]


def test_a_score_does_not_depend_on_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(3)
    model = WordBag(draw.standard_normal(1 << PLACES_BITS).astype(np.float32), 0.3)
    texts = [" ".join(map(str, draw.integers(0, 50, size))) for size in draw.integers(0, 90, 40)]
    whole = model.score(texts)
    monkeypatch.setattr("filters.word_bag.BATCH", 7)
    assert np.array_equal(model.score(texts), whole)
    assert model.score(["", " \n"]).tolist() == pytest.approx([1 / (1 + np.exp(-0.3))] * 2)


def test_no_source_drowns_out_another() -> None:
    labels = np.array([True] * 110 + [False] * 4)
    sources = np.array(["big"] * 100 + ["small"] * 10 + ["web"] * 4, object)
    weights = even_weights(labels, sources)
    assert weights.mean() == pytest.approx(1)
    assert weights[labels].sum() == pytest.approx(weights[~labels].sum())
    assert weights[:100].sum() / weights[100:110].sum() == pytest.approx(np.sqrt(10))


def test_a_file_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["it follows because"] * 5 + ["buy now"] * 5
    model = fit_bag(texts, np.array([True] * 5 + [False] * 5))
    assert model.score(texts[:1])[0] > 0.5 > model.score(texts[-1:])[0]
    model.save(tmp_path / "bag")
    assert np.array_equal(load_bag(tmp_path / "bag").score(texts), model.score(texts))
    monkeypatch.setattr("filters.word_bag.VERSION", 99)
    with pytest.raises(SetupError, match="version 1, this is 99"):
        load_bag(tmp_path / "bag")
