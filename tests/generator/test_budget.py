"""A budget by cell is what is planned, cell by cell."""

from __future__ import annotations

from collections import Counter

import pytest

from corpus.errors import RecipeError
from generator.config import CoverageConfig, GenerateConfig
from generator.plan import plan_slots
from prompts.library import load_library

CONFIG = GenerateConfig(
    domains=("biology", "history"), forms=("textbook_section",), coverage=CoverageConfig(cells=("domain",)),
    budget={"biology": 9, "history": 2},
)  # fmt: skip


def test_each_cell_gets_its_budget_and_slots_of_an_even_plan_come_again() -> None:
    slots = plan_slots(CONFIG, load_library(None), 1)
    assert Counter(slot.cell.domain for slot in slots) == {"biology": 9, "history": 2}
    assert len({slot.id for slot in slots}) == 11
    even = plan_slots(CONFIG.model_copy(update={"budget": {}, "documents": 4}), load_library(None), 1)
    assert {slot.id for slot in even} <= {slot.id for slot in slots}  # replies to them are there already


def test_a_cell_that_is_none_is_named() -> None:
    with pytest.raises(RecipeError, match="no cell 'alchemy'"):
        plan_slots(CONFIG.model_copy(update={"budget": {"alchemy": 1}}), load_library(None), 1)
