"""An order moves readings and changes none of them; each order has the shape that its name says."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from corpus.errors import RecipeError
from filters.curriculum import Curriculum, Order, Reading, read_in_order

ORDERS: tuple[Order, ...] = ("shuffled", "blocked", "staged", "sandwiched")
READINGS = [Reading(part, f"{part}{number}", turn, 5 + number % 7)
            for part, count, turns in (("en", 200, 1), ("zh", 60, 2), ("code", 40, 1))
            for number in range(count) for turn in range(turns)]  # fmt: skip


def shares(block: list[Reading]) -> dict[str, float]:
    counts = Counter[str]()
    for one in block:
        counts[one.part] += one.tokens
    return {part: count / sum(counts.values()) for part, count in counts.items()}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("replay", [0.0, 0.05, 0.3])
def test_every_order_reads_the_same_and_is_the_same_again(order: Order, replay: float) -> None:
    curriculum = Curriculum(order, ("en", "zh"), replay)
    found = read_in_order(READINGS, curriculum, 3)
    assert Counter(one for block in found for one in block) == Counter(READINGS)
    mixed = random.Random(1).sample(READINGS, len(READINGS))
    assert read_in_order(mixed, curriculum, 3) == found
    assert read_in_order(READINGS, curriculum, 4) != found


def test_blocks_follow_the_sequence_and_parts_that_it_does_not_name_come_last() -> None:
    found = read_in_order(READINGS, Curriculum("blocked", ("zh", "en")), 3)
    assert [shares(block) for block in found] == [{"zh": 1.0}, {"en": 1.0}, {"code": 1.0}]


def test_a_part_enters_at_its_stage_and_stays() -> None:
    found = read_in_order(READINGS, Curriculum("staged", ("en", "zh", "code")), 3)
    assert [set(shares(block)) for block in found] == [{"en"}, {"en", "zh"}, {"en", "zh", "code"}]
    english = [sum(one.tokens for one in block if one.part == "en") for block in found]
    assert max(english) - min(english) <= 24
    assert all(one.turn == 0 for one in found[1] if one.part == "zh"), "a second pass comes after the first"


def test_the_first_part_stands_around_the_others() -> None:
    before, middle, after = read_in_order(READINGS, Curriculum("sandwiched", ("en",)), 3)
    assert (set(shares(before)), set(shares(middle)), set(shares(after))) == ({"en"}, {"zh", "code"}, {"en"})
    assert abs(sum(one.tokens for one in before) - sum(one.tokens for one in after)) <= 22


def test_replay_is_the_share_of_each_later_block_that_came_before() -> None:
    first, second, third = read_in_order(READINGS, Curriculum("blocked", ("en", "zh", "code"), 0.1), 3)
    assert set(shares(first)) == {"en"}
    assert shares(second)["en"] == pytest.approx(0.1, abs=0.02)
    assert shares(third)["en"] + shares(third)["zh"] == pytest.approx(0.1, abs=0.03)


def test_half_of_a_block_stays_however_much_replay_asks_for() -> None:
    small = [Reading("a", f"a{number}", 0, 1) for number in range(10)]
    large = [Reading("b", f"b{number}", 0, 1) for number in range(1000)]
    first, second = read_in_order([*small, *large], Curriculum("blocked", ("a", "b"), 0.5), 3)
    assert (len(first), len(second)) == (5, 1005)


@pytest.mark.parametrize(("sequence", "said"), [(("en", "en"), "twice"), (("fr",), "fr is no part")])
def test_a_sequence_that_does_not_fit_is_refused(sequence: tuple[str, ...], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        read_in_order(READINGS, Curriculum("blocked", sequence), 3)
