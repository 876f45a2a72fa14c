"""A pilot mirrors the plan, and its interval holds what the rest comes to as often as it says."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from generator.plan import Cell, Slot
from generator.strata import pilot_slots, rest_of, stratum_of, student_975


def slots_of(sizes: dict[tuple[str, str], int]) -> list[Slot]:
    return [
        Slot(f"{form}-{domain}-{number}", Cell(domain, "t", form, "a", "en", "s"), number)
        for (form, domain), size in sizes.items()
        for number in range(size)
    ]


SIZES = {("story", "biology"): 300, ("story", "law"): 100, ("glossary", "law"): 500, ("lab", "physics"): 100}


def test_each_kind_of_slot_has_its_share() -> None:
    slots = slots_of(SIZES)
    chosen = pilot_slots(slots, 100, 1)
    assert Counter(map(stratum_of, chosen)) == {("en", *key): size // 10 for key, size in SIZES.items()}
    assert chosen == sorted(chosen, key=slots.index)
    assert pilot_slots(slots, 100, 2) != chosen
    assert pilot_slots(slots, 100, 1) == chosen


@pytest.mark.parametrize("count", [2, 3, 7, 64, 999, 5000])
def test_exactly_as_many_as_asked_and_no_more_than_there_are(count: int) -> None:
    assert len(pilot_slots(slots_of(SIZES), count, 3)) == min(count, 1000)


def test_the_interval_holds_the_truth_in_about_nineteen_of_twenty() -> None:
    slots, held = slots_of(SIZES), 0
    mean = {"story": 5.0, "glossary": 4.0, "lab": 6.0}
    for seed in range(100):
        draw = random.Random(seed)
        values = {slot.id: draw.lognormvariate(mean[slot.cell.form], 0.5) for slot in slots}
        sampled = pilot_slots(slots, 64, seed)
        drawn = {slot.id: values[slot.id] for slot in sampled}
        left = [slot for slot in slots if slot.id not in drawn]
        found = rest_of(drawn, sampled, left)
        held += found.low <= sum(values[slot.id] for slot in left) <= found.high
    assert 0.89 <= held / 100 < 1.0


def test_strata_too_small_to_judge_are_joined_with_their_neighbours() -> None:
    slots = slots_of({("story", f"d{number}"): 10 for number in range(20)})
    sampled = pilot_slots(slots, 20, 1)
    found = rest_of({slot.id: float(place) for place, slot in enumerate(sampled)}, sampled, slots)
    assert found.low < found.value < found.high


def test_what_is_certain_has_no_width() -> None:
    slots = slots_of(SIZES)
    sampled = pilot_slots(slots, 64, 1)
    found = rest_of(dict.fromkeys((slot.id for slot in sampled), 2.0), sampled, slots)
    assert found.value == found.low == found.high == pytest.approx(2000.0)


@pytest.mark.parametrize(("freedom", "point"), [(3, 3.182), (5, 2.571), (10, 2.228), (60, 2.000)])
def test_points_of_students_t_are_those_of_the_tables(freedom: int, point: float) -> None:
    assert student_975(freedom) == pytest.approx(point, rel=0.011)
