"""Every cell gets what it was promised or says why not; budget leaves cells that repeat themselves, wave by wave."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from generator.config import GenerateConfig
from generator.coverage_facts import coverage_facts, coverage_state
from generator.plan import Slot, Source, key_of, lanes_of, plan_slots
from generator.request import Request
from tests.fakes.steered import DOMAINS, LIBRARY, Steered, different
from tests.fakes.teacher_text import reply_text

STEER = {"coverage": {"wave": 12, "least": 8}}
SAME = reply_text({"model": "fake", "messages": [], "seed": -1})


def repeats_in_history(slot: Slot, request: Request) -> str:
    return SAME if slot.cell.domain == "history" else different(slot, request)


def fails_in_physics(slot: Slot, request: Request) -> str:
    return "" if slot.cell.domain == "physics" else different(slot, request)


def test_every_cell_gets_its_target_although_a_third_of_all_replies_is_refused(tmp_path: Path) -> None:
    def says(slot: Slot, request: Request) -> str:
        return "" if request.seed % 3 == 0 else different(slot, request)

    run = Steered(tmp_path, says, attempts=1, coverage={"replacements": 2.0}).run()
    assert {cell.filled for cell in run.coverage.cells.values()} == {16}
    assert Counter(item.domain for item in run.book.documents.values()) == dict.fromkeys(DOMAINS, 16)
    assert len(run.book.slots) > 48


def test_per_cell_accepts_exactly_that_many_in_each_cell_of_the_axes_named(tmp_path: Path) -> None:
    axes = ("domain", "audience")
    run = Steered(tmp_path, per_cell=3, coverage={"cells": axes}).run()
    found = Counter(key_of(slot.cell, axes) for slot in run.book.slots if slot.id in run.book.documents)
    readers = {name for name, reader in LIBRARY.audiences.items() if reader.suits("college")}
    assert set(found.values()) == {3}
    assert {domain for domain, _ in found} == set(DOMAINS)
    assert {reader for _, reader in found} >= readers


def test_a_cell_that_always_fails_is_short_by_name_after_bounded_attempts(tmp_path: Path) -> None:
    run = Steered(tmp_path, fails_in_physics, **STEER).run()
    cell = run.cell("physics")
    assert (cell.filled, cell.cause, cell.issued) == (0, "empty", 16 + 8)
    assert len(run.sent) == 32 + 24 * 2
    assert run.cell("biology").filled == run.cell("history").filled == 16
    facts = coverage_facts(list(run.coverage.cells.values()), run.config.coverage.cells, [])
    assert facts["coverage.short"]["rows"] == [["en · physics · textbook_section", 16, 0, 24, "empty"]]
    assert facts["yield.short"]["values"] == {"empty": 16}
    assert facts["coverage.reached"]["value"] == 2


def test_a_cell_that_repeats_itself_closes_and_its_budget_moves(tmp_path: Path) -> None:
    run = Steered(tmp_path, repeats_in_history, **STEER).run()
    closed = run.cell("history")
    assert (closed.closed, closed.cause, closed.filled) == ("saturated", "saturated", 1)
    assert closed.issued <= 12  # of 16, because it closed before the plan was through
    assert len(run.book.documents) == 48
    assert abs(run.cell("biology").filled - run.cell("physics").filled) <= 1
    moved = [move for wave in run.wave_files() for move in wave["moves"]]
    assert any("history" in move and "saturated" in move for move in moved)
    assert any("moved to open cells" in move for move in moved)


def test_with_per_cell_no_other_cell_gets_more_than_its_number(tmp_path: Path) -> None:
    run = Steered(tmp_path, repeats_in_history, per_cell=16, **STEER).run()
    assert run.cell("history").cause == "saturated"
    assert run.cell("biology").filled == run.cell("physics").filled == 16


def test_a_cell_whose_texts_add_no_new_word_sequences_is_saturated_too(tmp_path: Path) -> None:
    def says(slot: Slot, request: Request) -> str:
        own = f"This one is text number {request.seed}. "
        return own + SAME if slot.cell.domain == "history" else different(slot, request)

    run = Steered(tmp_path, says, **STEER).run()
    assert run.cell("history").closed == "saturated"
    assert not run.book.rejections


def test_healthy_cells_never_close(tmp_path: Path) -> None:
    run = Steered(tmp_path, documents=600, coverage={"wave": 64}).run(window=32)
    assert not any(cell.closed for cell in run.coverage.cells.values())
    assert len(run.book.documents) == len(run.sent) == 600


@pytest.mark.parametrize("kill_after", [0, 3, 20, 41, 55])
def test_a_killed_run_goes_on_with_the_waves_that_were_committed_and_ends_the_same(
    kill_after: int, tmp_path: Path
) -> None:
    whole = Steered(tmp_path / "whole", repeats_in_history, **STEER).run()
    killed = Steered(tmp_path / "killed", repeats_in_history, **STEER).run(kill_after=kill_after)
    committed = killed.wave_files()
    again = Steered(tmp_path / "killed", repeats_in_history, killed.outcomes, **STEER).run()
    assert again.wave_files()[: len(committed)] == committed
    assert again.wave_files() == whole.wave_files()
    assert again.book.documents == whole.book.documents
    assert len(killed.sent) + len(again.sent) == len(whole.sent)


@pytest.mark.parametrize("seed", range(5))
def test_waves_hold_after_kills_even_when_replies_come_in_any_order(seed: int, tmp_path: Path) -> None:
    """The order of judgement is committed with each wave, so what a wave was decided on is seen again as it was."""
    draw = random.Random(seed)
    outcomes: dict = {}
    sent = 0
    for kill_after in (9, 14, 11, None):
        before = Steered(tmp_path, repeats_in_history, outcomes, **STEER).wave_files()
        run = Steered(tmp_path, repeats_in_history, outcomes, **STEER).run(kill_after=kill_after, order=draw)
        assert run.wave_files()[: len(before)] == before
        outcomes, sent = run.outcomes, sent + len(run.sent)
    asked = {tuple(label) for wave in run.wave_files() for label in wave["turns"]}
    assert sent == len(outcomes) == len(asked)  # nothing was asked for twice, and nothing that no wave holds
    assert run.cell("history").closed == "saturated"
    assert len(run.book.documents) == 48


def test_replacements_are_new_places_of_the_same_cell(tmp_path: Path) -> None:
    run = Steered(tmp_path, fails_in_physics, **STEER).run()
    assert len({slot.id for slot in run.book.slots}) == len(run.book.slots)
    extra = [slot for slot in run.book.slots if slot.id not in {one.id for one in run.slots}]
    assert {slot.cell.domain for slot in extra} == {"physics"}


def test_a_source_knows_every_combination_and_repeats_none() -> None:
    config = GenerateConfig(domains=DOMAINS, forms=("story", "glossary"))
    for axes in (("domain",), ("form", "style"), ("topic",), ("domain", "form", "audience")):
        source = Source(lanes_of(config, LIBRARY, 3), axes, 3)
        found = {
            key_of(slot.cell, axes) for slot in plan_slots(config.model_copy(update={"documents": 9000}), LIBRARY, 3)
        }
        assert set(source.keys) == found
        slots = [source.next(source.keys[0]) for _ in range(40)]
        assert len({slot.id for slot in slots if slot}) == 40
        assert {key_of(slot.cell, axes) for slot in slots if slot} == {source.keys[0]}


def test_what_status_reads_tells_target_kept_and_why(tmp_path: Path) -> None:
    run = Steered(tmp_path, fails_in_physics, **STEER).run(kill_after=30)
    records = {record["cell"]: record for record in coverage_state(run.coverage.cells.values())}
    physics = records["en · physics · textbook_section"]
    assert (physics["target"], physics["kept"]) == (16, 0)
    assert sum(record["kept"] for record in records.values()) == len(run.book.documents)
