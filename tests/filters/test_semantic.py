"""Texts that say the same are near, texts on other matters are not, and the better one stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from filters import semantic
from filters import stored_vectors as stored
from filters.semantic import nearest_better, repeats, shares
from filters.stored_vectors import VectorFile, stored_vectors
from filters.vectors import unit, word_vectors

TEXTS = [
    "The kettle whistles when the water boils, because steam leaves through the lid.",
    "When water boils the kettle whistles: steam leaves through its lid.",
    "A bridge carries weight through its arch, stone pressing on stone.",
    "The arch of a bridge carries the weight, stone pressing on stone.",
    "Prices rise when many people want a thing that few people sell.",
    "The court asked whether the contract had been signed under threat.",
    "Leaves are green because they take in red and blue light.",
    "水沸腾的时候，蒸汽从壶盖出来，所以水壶会响。",
]


def test_retellings_are_nearest_to_each_other() -> None:
    vectors = word_vectors(TEXTS, 6)
    found = nearest_better(vectors, np.arange(len(TEXTS)))
    assert (found.place[1], found.place[3]) == (0, 2)
    assert repeats(found, 0.9).tolist() == [False, True, False, True, False, False, False, False]
    assert found.cosine[0] == -1, "the best text of all has no better one"


def test_the_better_text_stays() -> None:
    found = nearest_better(word_vectors(TEXTS, 6), np.arange(len(TEXTS))[::-1].copy())
    assert repeats(found, 0.9).tolist() == [True, False, True, False, False, False, False, False]


def test_the_same_texts_give_the_same_vectors_and_a_text_without_words_is_near_nothing() -> None:
    texts = [*TEXTS, "", "…"]
    one, two = word_vectors(texts, 5), word_vectors(texts, 5)
    assert np.array_equal(one, two)
    assert np.allclose(np.linalg.norm(one[:8], axis=1), 1, atol=1e-5)
    assert not one[8:].any()


def test_every_text_is_compared_within_its_cluster_and_blocks_change_nothing() -> None:
    draw = np.random.default_rng(1)
    centres = unit(draw.standard_normal((5, 16)))
    vectors = unit(np.repeat(centres, 900, axis=0) + 0.05 * draw.standard_normal((4500, 16)))
    found = nearest_better(vectors, np.arange(4500))
    exact = vectors @ vectors.T
    exact[np.triu_indices(4500)] = -1
    best = exact.max(axis=1)
    assert (np.abs(best[1:] - found.cosine[1:]) < 1e-5).mean() > 0.99
    told = dict(shares(found))
    assert told[0.8] >= told[0.9] >= told[0.98]


def written(texts: list[str], folder: Path, rows: int, dimensions: int = 128) -> VectorFile:
    blocks = (pl.Series(texts[start : start + rows], dtype=pl.String) for start in range(0, len(texts), rows))
    return stored_vectors(blocks, folder, dimensions)


def many(count: int) -> list[str]:
    """Texts of words of their own, in groups that say nearly the same."""
    draw = np.random.default_rng(2)
    own, made = draw.integers(0, 3000, 40), []
    for number in range(count):
        own = draw.integers(0, 3000, 40) if number % 4 == 0 else np.r_[own[:-2], draw.integers(0, 3000, 2)]
        made.append(" ".join(f"w{word}" for word in own))
    return made


@pytest.mark.parametrize("rows", [7, 10_000])
def test_vectors_in_a_file_are_those_in_memory_to_the_last_bit(tmp_path: Path, rows: int) -> None:
    for number, texts in enumerate((many(300), TEXTS, ["a", "b", ""], ["", "…", ""], ["one"])):
        (folder := tmp_path / str(number)).mkdir()
        assert np.array_equal(written(texts, folder, rows, 6)[slice(None)], word_vectors(texts, 6))


def test_more_texts_than_are_fitted_are_laid_along_axes_of_an_even_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = many(1000)
    monkeypatch.setattr(stored, "FITTED", 500)
    vectors = written(texts, tmp_path, 90, 20)
    rank = np.arange(len(texts))
    found, whole = nearest_better(vectors, rank), nearest_better(word_vectors(texts, 20), rank)
    assert np.allclose(np.linalg.norm(vectors[slice(None)], axis=1), 1, atol=1e-5)
    assert ((found.cosine > 0.9) == (whole.cosine > 0.9)).mean() > 0.97
    assert (repeats(found, 0.9)[np.arange(1000) % 4 > 0]).mean() > 0.97


def test_a_file_or_an_array_and_any_width_of_comparison_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = many(2500)
    held, rank = word_vectors(texts, 8), np.random.default_rng(5).permutation(2500)
    whole = nearest_better(held, rank)
    vectors = written(texts, tmp_path, 1000, 8)
    assert np.array_equal(nearest_better(vectors, rank).cosine, whole.cosine)
    monkeypatch.setattr(semantic, "BLOCK", 100)
    monkeypatch.setattr(semantic, "WIDE", 130)
    narrow = nearest_better(vectors, rank)
    assert np.array_equal(narrow.place, whole.place)
    assert np.allclose(narrow.cosine, whole.cosine, atol=1e-6)


def test_clusters_of_a_sample_hold_every_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit(np.random.default_rng(6).standard_normal((4500, 8)))
    monkeypatch.setattr(semantic, "SAMPLE", 2000)
    monkeypatch.setattr(semantic, "PREDICTED", 700)
    clusters = list(semantic._clusters(vectors, 17))
    assert 1 < len(clusters) <= 4
    assert np.array_equal(np.sort(np.concatenate(clusters)), np.arange(4500))
