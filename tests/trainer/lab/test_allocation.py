"""Budgets follow weakness, keep an even part, and add up."""

from __future__ import annotations

import pytest

from trainer.lab.allocation import Weakness, allocate, weakness

CELLS = {"strong": Weakness(1.0, 2.0, 0.1), "middle": Weakness(1.5, 2.0, 0.3), "weak": Weakness(2.0, 2.0, 0.2)}


def test_weak_cells_get_more_and_none_gets_nothing() -> None:
    found = allocate(CELLS, 90, "loss")
    assert sum(found.values()) == 90
    assert found == {"strong": 12, "middle": 30, "weak": 48}  # a third of 36 each, and 54 by 0 : ½ : 1


def test_the_signal_is_the_one_that_was_asked_for() -> None:
    assert allocate(CELLS, 90, "disagreement")["middle"] > allocate(CELLS, 90, "disagreement")["weak"]
    assert set(allocate(CELLS, 90, "uncertainty").values()) == {30}  # nobody is weaker than another


@pytest.mark.parametrize("documents", [1, 7, 100])
def test_no_document_is_lost_to_rounding(documents: int) -> None:
    assert sum(allocate(CELLS, documents, "loss").values()) == documents


def test_disagreement_is_the_spread_of_students_about_each_document() -> None:
    found = weakness([[1.0, 2.0], [1.0, 4.0]], [3.0, 5.0])
    assert found.loss == 2.0
    assert found.uncertainty == 4.0
    assert found.disagreement == pytest.approx((0 + 2**0.5) / 2)
    assert weakness([[1.0, 2.0]], [3.0]).disagreement == 0.0
