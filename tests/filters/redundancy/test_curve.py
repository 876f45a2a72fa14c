"""What is said over and over can go, two families agree on it, and where nothing is said twice the verdict says so."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from filters.redundancy.curve import Point, Setting, measure, verdict
from filters.redundancy.families import extra, forest, rmse
from filters.redundancy.grow import grow_rounds
from filters.redundancy.prune import prune_rounds, random_rows
from tests.filters.redundancy.pools import even_test, outside_pool, plain_pool, zipf_pool

SIZE = 2000


def test_rounds_shrink_by_the_rule_and_never_below_the_limit() -> None:
    pool, test = zipf_pool(SIZE, 1), even_test(800, 2)
    rounds = list(prune_rounds(pool, test, extra, until=1000, seed=1))
    sizes = [len(rows) for rows in rounds]
    assert sizes[0] == SIZE
    assert all(before - after >= SIZE // 100 for before, after in pairwise(sizes))
    assert sizes[-1] >= 1000
    assert all(set(after) < set(before) for before, after in pairwise(rounds))
    again = list(prune_rounds(pool, test, extra, until=1000, seed=1))
    assert all(np.array_equal(one, other) for one, other in zip(rounds, again, strict=True))


def test_a_redundant_pool_can_be_cut_and_a_draw_of_that_size_is_worse() -> None:
    setting = Setting(extra, forest, even_test(800, 11), outside_pool(400, 12), seed=3)
    found = measure(zipf_pool(SIZE, 10), setting, (0.5, 0.3))
    assert found.redundant >= 0.45, found.sentence
    assert found.knee is not None
    assert found.knee.unused <= found.points[0].guide, "what was left out is predicted as well as the test"
    assert "can go" in found.sentence


def test_what_can_go_does_not_hang_on_the_shares_that_were_asked_for() -> None:
    setting = Setting(extra, forest, even_test(800, 11), outside_pool(400, 12), seed=3)
    coarse, fine = (measure(zipf_pool(SIZE, 10), setting, shares) for shares in ((0.6,), (0.7, 0.5, 0.4, 0.3)))
    assert coarse.redundant > 0.5, "the knee lies below the only share that was asked for"
    assert coarse.redundant == pytest.approx(fine.redundant, abs=0.05)


def test_a_pool_without_redundancy_is_called_so() -> None:
    setting = Setting(extra, forest, plain_pool(800, 21), outside_pool(400, 22), seed=3)
    found = measure(plain_pool(1000, 20), setting, (0.5,))
    assert (found.redundant, found.knee) == (0.0, None)
    assert "not redundant" in found.sentence


def point(share: float, guide: float, random: float, spread: float = 0.01, transfer: float = 1.0) -> Point:
    return Point(int(1000 * share), share, guide, transfer, 0.9, 5.0, random, random, random - spread, random + spread)


@pytest.mark.parametrize(("parts", "redundant"), [
    ([point(0.5, 1.05, 1.3), point(0.3, 1.08, 1.5), point(0.1, 1.5, 2.0)], 0.7),
    ([point(0.5, 1.05, 1.055)], 0.0),  # no better than a draw
    ([point(0.5, 1.05, 1.3, transfer=1.4)], 0.0),  # the other family disagrees
    ([point(0.5, 1.2, 1.5)], 0.0),  # not as good as the whole
])  # fmt: skip
def test_the_verdict_says_no_more_than_the_points(parts: list[Point], redundant: float) -> None:
    assert verdict([point(1.0, 1.0, 1.0), *parts]).redundant == pytest.approx(redundant)


def test_a_committee_reaches_the_whole_pools_error_with_half_of_it() -> None:
    pool, test = zipf_pool(1500, 30), even_test(800, 31)
    whole = extra(0)
    whole.fit(pool.features, pool.labels)
    *_, rows = grow_rounds(pool, "committee", (forest, extra), until=0.5, step=0.1, seed=5)
    part, draw = extra(0), extra(0)
    part.fit(pool.features[rows], pool.labels[rows])
    drawn = random_rows(len(pool), len(rows), 5)
    draw.fit(pool.features[drawn], pool.labels[drawn])
    errors = [rmse(model, test.features, test.labels) for model in (whole, part, draw)]
    assert errors[1] <= 1.05 * errors[0]
    assert errors[1] < errors[2]
