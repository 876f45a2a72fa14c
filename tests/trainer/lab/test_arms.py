"""Arms hold what their names say, at one budget, drawn by the seed."""

from __future__ import annotations

import pytest

from trainer.lab.arms import ARMS, FILTERED, MIXED, RANDOM, RAW, REPEAT, SUMMARY, SYNTHETIC, Pools, summary, texts_of

POOLS = Pools(
    [f"raw {i:04} " + "x" * 90 for i in range(1000)],
    [f"raw {i:04} " + "x" * 90 for i in range(0, 1000, 5)],
    [f"own {i:04} " + "y" * 90 for i in range(100)],
)


def size(texts: list[str]) -> int:
    return sum(len(text.encode()) for text in texts)


def test_the_arms_are_those_that_the_pools_can_make() -> None:
    assert POOLS.arms() == ARMS
    assert Pools(POOLS.raw).arms() == (RAW, REPEAT, SUMMARY)
    assert Pools(POOLS.raw, POOLS.filtered).arms() == (RAW, RANDOM, FILTERED, REPEAT, SUMMARY)


@pytest.mark.parametrize("arm", [RAW, FILTERED, MIXED])
def test_an_arm_has_its_budget_and_little_more(arm: str) -> None:
    assert 15_000 <= size(texts_of(arm, POOLS, 15_000, 1)) <= 15_300


def test_the_random_arm_is_as_large_as_what_the_filter_kept() -> None:
    drawn = texts_of(RANDOM, POOLS, 10**6, 1)
    assert abs(size(drawn) - size(list(POOLS.filtered))) <= 100
    assert len(set(drawn) & set(POOLS.filtered)) < 80  # a draw, not the filter's choice


def test_a_third_of_the_mix_is_what_the_teacher_wrote_read_again_where_it_is_short() -> None:
    mixed = texts_of(MIXED, POOLS, 60_000, 1)
    own = [text for text in mixed if text.startswith("own")]
    assert size(own) / size(mixed) == pytest.approx(1 / 3, abs=0.01)
    assert len(own) > len(set(own)) == 100
    assert mixed[0].startswith("own") + mixed[-1].startswith("own") < 2 or any(
        text.startswith("raw") for text in mixed[:9]
    )


def test_the_repeated_quarter_is_a_quarter() -> None:
    assert size(texts_of(REPEAT, POOLS, 20_000, 1)) == pytest.approx(5_000, abs=100)


@pytest.mark.parametrize("arm", ARMS)
def test_the_same_seed_gives_the_same_texts_and_another_seed_others(arm: str) -> None:
    assert texts_of(arm, POOLS, 5_000, 1) == texts_of(arm, POOLS, 5_000, 1) != texts_of(arm, POOLS, 5_000, 2)


def test_a_summary_is_a_third_of_the_sentences_the_most_typical_ones_in_order() -> None:
    text = (
        "The river carries water to the sea. Lunch was fine. The water of the river carries sand to the sea. Yes. "
        "A tall man laughed. When the river meets the sea the water slows and drops its sand."
    )
    short = summary(text)
    assert short.startswith("The water of the river")
    assert short.endswith("drops its sand.")
    assert "Lunch" not in short


def test_the_synthetic_arm_reads_nothing_else() -> None:
    assert all(text.startswith("own") for text in texts_of(SYNTHETIC, POOLS, 5_000, 3))
