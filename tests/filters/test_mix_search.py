"""A search over mixes finds a known optimum, knows how well it ranks, and admits when there is nothing to find."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from corpus.errors import RecipeError
from filters.mix_search import search_mix

TOKENS = {"web": 9000, "books": 600, "code": 400, "forum": 3000, "papers": 900}
BEST = {"web": 0.2, "books": 0.35, "code": 0.15, "forum": 0.05, "papers": 0.25}


def bowl(weights: Mapping[str, float]) -> float:
    """Lowest at BEST, as losses are: steep where a part is missing."""
    return 3.0 - sum(BEST[name] * np.log(weights[name] + 0.02) for name in BEST)


def test_a_known_optimum_is_found_and_beats_the_draws() -> None:
    found = search_mix(TOKENS, bowl, mixes=32, held_out=8)
    assert found.rank > 0.8
    assert abs(found.shuffled) < found.rank
    assert found.better
    assert sum(found.proposed.weights.values()) == pytest.approx(1, abs=0.001)
    assert all(abs(found.proposed.weights[name] - BEST[name]) < 0.15 for name in BEST)
    assert found.predicted == pytest.approx(found.proposed.loss, abs=0.1)
    assert (len(found.learned), len(found.held_out)) == (32, 8)


def test_noise_is_not_called_a_finding() -> None:
    draw = np.random.default_rng(5)
    ranks = [search_mix(TOKENS, lambda _: draw.normal(), mixes=12, held_out=12, seed=seed).rank for seed in range(2)]
    assert abs(np.nanmean(ranks)) < 0.6


def test_the_same_seed_proposes_the_same_however_proxies_are_run() -> None:
    def backwards(train, mixes):  # type: ignore[no-untyped-def]
        return list(reversed([train(mix) for mix in reversed(mixes)]))

    assert search_mix(TOKENS, bowl, mixes=8, held_out=3, each=backwards) == search_mix(
        TOKENS, bowl, mixes=8, held_out=3
    )


def test_too_little_to_search_in_and_broken_proxies_are_named() -> None:
    with pytest.raises(RecipeError, match="1 parts"):
        search_mix({"web": 5, "books": 0}, bowl)
    with pytest.raises(RecipeError, match="no finite loss"):
        search_mix(TOKENS, lambda _: float("nan"), mixes=8, held_out=3)
