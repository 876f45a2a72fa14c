"""Figures of a classifier, against cases whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from filters.evaluation import calibration_error, evaluate, spearman, threshold_for

SCORES = np.array([0.9, 0.8, 0.4, 0.7, 0.2, 0.1, 0.05, 0.3])
LABELS = np.array([True, True, True, False, False, False, False, False])
SOURCES = ["books", "books", "manuals", "news", "news", "forum", "forum", "forum"]


def test_the_threshold_lets_the_named_share_through_and_no_more() -> None:
    others = np.arange(100) / 100
    cut = threshold_for(others, 0.10)
    assert (others >= cut).mean() == pytest.approx(0.10)
    assert (np.full(50, 0.5) >= threshold_for(np.full(50, 0.5))).mean() == 0, "ties do not come through together"


def test_the_worst_source_is_named_and_no_mean_hides_it() -> None:
    found = evaluate(SCORES, LABELS, SOURCES, threshold=0.5)
    assert found.recall == pytest.approx(2 / 3)
    assert found.worst is not None
    assert (found.worst.source, found.worst.passed) == ("manuals", 0.0)
    assert {row.source: row.texts for row in found.sources} == {"books": 2, "manuals": 1, "news": 2, "forum": 3}
    assert found.auc == pytest.approx(14 / 15)


def test_rank_correlation_is_that_of_scipy_with_ties() -> None:
    draw = np.random.default_rng(2)
    one, other = draw.integers(0, 6, 200).astype(float), draw.integers(0, 6, 200).astype(float)
    assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic)
    assert math.isnan(spearman(one, np.ones(200)))


def test_calibration_is_zero_where_what_is_said_is_so() -> None:
    scores = np.repeat([0.25, 0.75], 400)
    labels = np.concatenate([np.arange(400) % 4 == 0, np.arange(400) % 4 != 0])
    assert calibration_error(scores, labels) == pytest.approx(0)
    assert calibration_error(np.full(100, 0.9), np.zeros(100, bool)) == pytest.approx(0.9)


def test_bands_hold_every_text_once() -> None:
    found = evaluate(np.array([0.0, 0.2, 0.5, 1.0]), np.array([False, False, True, True]), list("abcd"))
    assert sum(band[2] for band in found.bands) == 4
    assert found.bands[-1][3] == 1.0
