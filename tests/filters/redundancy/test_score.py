"""Numbers to prune by: a reference never learned from what it scores, copies are found, the typical is near its centre."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from corpus.document import Document, documents_table
from filters.config import DuplicatesConfig
from filters.redundancy.ngram_model import fit_ngrams
from filters.redundancy.planted import even, lone, redundant, world
from filters.redundancy.score import likeness, losses, prototypes
from filters.vectors import word_vectors

DRAW = random.Random(3)
WORDS = ["".join(DRAW.choices("abcdefghij", k=DRAW.randint(3, 8))) for _ in range(300)]
TEXTS = [" ".join(DRAW.choices(WORDS, k=60)) for _ in range(80)]


def test_bytes_that_were_read_cost_fewer_bits_than_others() -> None:
    model = fit_ngrams(TEXTS[:60])
    known, unseen = model.bits(TEXTS[:60]).mean(), model.bits(TEXTS[60:]).mean()
    strange = model.bits(["WHAT WAS NEVER READ 0123456789" * 3])[0]
    assert known < unseen < strange
    assert unseen < 4.0, "words of ten letters need less than a uniform byte"


def test_chances_of_all_bytes_after_a_context_add_up_to_one() -> None:
    model = fit_ngrams(TEXTS)
    begin = TEXTS[0][:9]
    longer = [begin + chr(code) for code in range(128)]
    chances = 2.0 ** -(model.bits(longer).astype(float) * 10 - model.bits([begin]).astype(float)[0] * 9)
    assert chances.sum() == pytest.approx(1, abs=0.1), "but for places that two grams share"


def test_a_text_has_the_same_bits_alone_and_in_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fit_ngrams(TEXTS[:40])
    whole = model.bits(TEXTS)
    monkeypatch.setattr("filters.redundancy.ngram_model.PIECE", 500)
    assert model.bits(TEXTS) == pytest.approx(whole, rel=1e-5)
    pieces = fit_ngrams(TEXTS[:40])
    assert all(np.array_equal(one, other) for one, other in zip(pieces.kinds, model.kinds, strict=True))
    assert np.isnan(model.bits([""])[0])


def test_a_reference_never_scores_what_it_learned_from() -> None:
    def reference(learned: Sequence[str]) -> Callable[[Sequence[str]], np.ndarray]:
        return lambda asked: np.array([float(text in set(learned)) for text in asked])

    assert losses(TEXTS, reference, parts=3).sum() == 0
    assert losses(TEXTS, reference, parts=3).shape == (80,)


def test_copies_are_like_the_text_that_stays() -> None:
    texts = [*TEXTS[:10], TEXTS[0], TEXTS[1] + " and more"]
    table = documents_table([Document(f"d{n:02d}", text, "web", "MIT", "x") for n, text in enumerate(texts)])
    found = likeness(table, DuplicatesConfig(threshold=0.8, shingle=2))
    assert (found > 0).sum() == 2
    assert found[10] == 1.0 or found[0] == 1.0


def test_the_typical_is_nearer_its_centre_than_the_odd_one() -> None:
    alike = [f"the river flows to the sea past village {n} and the river is wide" for n in range(20)]
    found = prototypes([*alike, "quantum gravity remains an unsolved theoretical question"], word_vectors, clusters=1)
    assert found.argmax() == 20


def test_planted_pools_have_the_redundancy_that_they_say() -> None:
    of = world(1, 50)
    pool = redundant(of, 500, 2)
    assert pool.features.shape == (500, 18)
    assert np.isfinite(pool.features).all()
    assert np.array_equal(redundant(of, 500, 2).labels, pool.labels)
    assert not np.array_equal(world(1, 50, kinds=1).members, of.members)
    assert np.array_equal(world(1, 50, kinds=1).properties, of.properties)
    nearest = [
        np.sort(np.linalg.norm(some.features - some.features[0], axis=1))[1] for some in (pool, even(of, 500, 3))
    ]
    assert max(nearest) < 2, "variants of one family are near each other"
    alone, asked = lone(200, 100, 4)
    assert set(np.unique(alone.labels)) == {-1.0, 1.0}
    rows = [int(np.argmin(np.linalg.norm(alone.features - one, axis=1))) for one in asked.features]
    assert np.array_equal(alone.labels[rows], asked.labels)
