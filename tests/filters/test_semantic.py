"""Texts that say the same are near, texts on other matters are not, and the better one stays."""

from __future__ import annotations

import numpy as np

from filters.semantic import nearest_better, repeats, shares
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
