"""Intervals cover as often as they say, and words follow them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trainer.lab.statistics import Difference, false_positives, paired, unpaired, verdict


def test_the_paired_interval_is_that_of_the_textbook() -> None:
    found = paired([2.0, 2.2, 2.4], [2.1, 2.4, 2.7])  # differences −.1, −.2, −.3: t(.975, 2) = 4.303, s = .1
    assert found.mean == pytest.approx(-0.2)
    assert (found.high - found.low) / 2 == pytest.approx(4.3027 * 0.1 / math.sqrt(3), abs=1e-4)
    assert found.seeds == 3


def test_one_pair_has_no_interval() -> None:
    assert paired([1.0], [2.0]).significant is False


def test_intervals_cover_the_truth_nineteen_times_in_twenty() -> None:
    draw = np.random.default_rng(7)
    hits = 0
    for _ in range(2000):
        base = draw.normal(size=4)  # shared by the pair: pairing takes it out
        found = paired(base + draw.normal(0.3, 0.2, 4), base + draw.normal(0, 0.2, 4))
        hits += found.low <= 0.3 <= found.high
    assert 0.935 < hits / 2000 < 0.965


def test_runs_that_differ_in_nothing_look_different_one_time_in_twenty() -> None:
    draw = np.random.default_rng(11)
    rates = [positive / splits for positive, splits in (false_positives(draw.normal(size=9)) for _ in range(15))]
    assert splits_of(9) == 840  # 9!/(3! 3! 3!) / 2
    assert 0.01 < float(np.mean(rates)) < 0.07


def splits_of(runs: int) -> int:
    return false_positives(list(range(runs)))[1]


def test_runs_of_two_kinds_are_told_apart() -> None:
    values = [0.0, 0.01, 0.02, 1.0, 1.01, 1.02]
    assert false_positives(values)[0] == 1  # the one split that is by kind
    assert unpaired(values[:3], values[3:]).high < -0.9


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Difference(-0.1, -0.15, -0.05, 0.02, 6), "a is better than b by 0.100"),
        (Difference(0.1, 0.05, 0.15, 0.02, 6), "a is worse than b by 0.100"),
        (
            Difference(-0.1, -0.25, 0.05, 0.1, 6),
            "no difference between a and b is shown; it lies between -0.250 and +0.050",
        ),
        (Difference(-0.1, -0.12, -0.08, 0.001, 2), "2 seeds cannot tell a from b"),
    ],
)
def test_a_verdict_says_what_the_interval_allows(found: Difference, said: str) -> None:
    assert said in verdict("a", "b", "web", found)
