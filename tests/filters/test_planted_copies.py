"""Deduplication measures itself on planted copies: it finds them, takes nothing else, and a bad index is seen as one."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from filters.config import DuplicatesConfig
from filters.planted_copies import CLASSES, Outcome, self_test, similarity
from tests.fakes.teacher_text import _chinese

Prose = Callable[[int, int], str]
CONFIG = DuplicatesConfig()


def recall(found: Outcome, low: float) -> float:
    tally = next(row for row in found.tallies if row.low == low)
    assert tally.planted == 60
    return tally.found / tally.planted


@pytest.mark.parametrize("language", ["en", "zh"])
def test_near_copies_are_found_and_nothing_else_is_taken(prose: Prose, language: str) -> None:
    draw = random.Random(5)
    texts = [prose(seed, 330) if language == "en" else _chinese(draw, 700) for seed in range(340)]
    found = self_test(texts, CONFIG, 60)
    assert recall(found, 0.9) == 1
    assert recall(found, 0.8) >= 0.9
    assert all(recall(found, low) == 0 for low, _ in CLASSES[2:])
    assert (found.wrong, found.unlike) == (0, 0)
    assert found.removed >= 110


def test_an_index_that_misses_most_is_told_to(prose: Prose) -> None:
    texts = [prose(seed, 330) for seed in range(340)]
    found = self_test(texts, DuplicatesConfig(bands=1, rows=32), 60)
    assert recall(found, 0.8) < 0.2
    low, high = next(row for row in found.tallies if row.low == 0.8).interval
    assert 0 <= low < recall(found, 0.8) + 1e-9 < high < 0.4


def test_similarity_is_that_of_sets_of_tuples() -> None:
    assert similarity("a b c d", "A b, c x", 2) == pytest.approx(2 / 4)
    assert similarity("a", "b", 2) == 0
