from __future__ import annotations

from collections import Counter

import pytest

from corpus.errors import RecipeError
from generator.config import GenerateConfig
from generator.plan import coverage, plan_slots
from generator.request import make_request
from generator.teacher_config import TeacherConfig
from prompts.library import load_library

LIBRARY = load_library()


def plan(documents: int, seed: int = 3, **more: object):  # type: ignore[no-untyped-def]
    return plan_slots(GenerateConfig(documents=documents, **more), LIBRARY, seed)


def test_a_longer_plan_extends_a_shorter_one() -> None:
    assert plan(500)[:120] == plan(120)


def test_no_slot_repeats_and_no_cell_before_all_were_used() -> None:
    slots = plan(3000)
    assert len({slot.id for slot in slots}) == 3000
    one = plan(200, domains=("history",), forms=("story",))
    cells = len(LIBRARY.domains["history"].topics) * len(LIBRARY.audiences) * len(LIBRARY.styles)
    assert len({slot.cell for slot in one[:cells]}) == min(cells, 200)


def test_slots_are_spread_evenly_over_domain_and_form() -> None:
    counts = Counter((slot.cell.domain, slot.cell.form) for slot in plan(340))
    assert max(counts.values()) - min(counts.values()) <= 1


def test_another_seed_gives_other_slots() -> None:
    assert not {slot.id for slot in plan(100, 1)} & {slot.id for slot in plan(100, 2)}


def test_an_unknown_domain_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError) as caught:
        plan(1, domains=("phisics",))
    assert "physics" in caught.value.hint


def request_key(attempt: int = 0, **changes: object) -> str:
    config = GenerateConfig(documents=1, max_tokens=int(str(changes.pop("max_tokens", 256))))
    (slot,) = plan_slots(config, LIBRARY, 3)
    return make_request(slot, attempt, LIBRARY, TeacherConfig(**changes), config, 3).key


def test_limits_and_endpoints_are_no_part_of_a_requests_identity() -> None:
    assert request_key() == request_key(
        max_tokens=512, timeout_s=9, concurrency=3, endpoints=("http://127.0.0.1:1/v1",)
    )


@pytest.mark.parametrize("change", [{"temperature": 0.1}, {"top_p": 0.5}, {"model": "other"}, {"revision": "abc"}])
def test_model_revision_and_sampling_are(change: dict[str, object]) -> None:
    assert request_key() != request_key(**change)


def test_an_attempt_has_a_key_of_its_own() -> None:
    assert request_key(0) != request_key(1)


def test_coverage_counts_filled_against_planned() -> None:
    slots = plan(34)
    fact = coverage(slots, {slots[0].id})
    assert sum(value or 0 for row in fact["values"] for value in row) == 1
    assert sum(value or 0 for row in fact["targets"] for value in row) == 34
