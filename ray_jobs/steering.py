"""What coverage decides while a run writes: told to the person who waits, kept for `hornbook status`, and for the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from corpus.document import Document
from corpus.facts import Fact, table
from corpus.shards import Partition, write_partition
from corpus.store import Store
from filters.sensitive import redact
from generator.book import Book
from generator.coverage import CellState
from generator.coverage_facts import coverage_facts, coverage_state
from generator.diversity_facts import diversity_facts
from generator.plan import key_of
from generator.slots import slots_table
from ray_jobs.line import Line
from ray_jobs.planning import Plan

STATE = "coverage.json"  # in the run's folder, beside its progress
TOLD = 6  # decisions of one wave that get a line of their own


def tell_wave(line: Line, book: Book) -> None:
    """What was decided as a wave began, in a line each."""
    for move in book.moves[:TOLD]:
        line.talk.say(f"generate   {redact(move)[0]}")
    if len(book.moves) > TOLD:
        line.talk.say(f"generate   and {len(book.moves) - TOLD:,} more decisions; `hornbook status` shows every cell")
    keep_state(line.folder, book)


def keep_state(folder: Store, book: Book, ended: str = "") -> None:
    """The cells as they are now, for `hornbook status`; no state of record. `ended`: why nothing more is asked."""
    if book.coverage:
        cells = coverage_state(book.coverage.cells.values())
        folder.replace(STATE, orjson.dumps({"ended": ended, "cells": cells}))


def state_of(folder: Store) -> dict[str, Any]:
    """What `keep_state` left; empty where it left nothing."""
    return orjson.loads(folder.read(STATE)) if folder.exists(STATE) else {}


def steering_partition(store: Store, plan: Plan, book: Book) -> Partition:
    """The slots that were opened: with the replies, all that a replay needs."""
    return write_partition(store, "slots", 0, slots_table(book.slots, book.dropped | plan.dropped))


def steering_facts(plan: Plan, book: Book, kept: Sequence[Document]) -> dict[str, Fact]:
    """Facts of coverage and diversity by name."""
    config = plan.recipe.generate
    assert config is not None
    cells = list(book.coverage.cells.values()) if book.coverage else _cells_of(plan, book)
    alarms = [replace(alarm, what=redact(alarm.what)[0]) for alarm in (book.coverage.alarms if book.coverage else ())]
    wanted = len(plan.planned)
    slots = [wanted, len(kept), wanted - len(kept), len(book.slots), sum(map(len, book.attempts.values()))]
    return {
        **coverage_facts(cells, config.coverage.cells, alarms),
        "yield.slots": table("Slots", ["planned", "filled", "short", "opened", "attempts"], [slots]),
        **diversity_facts(kept, lambda text: redact(text)[0]),
    }


def _cells_of(plan: Plan, book: Book) -> list[CellState]:
    """The cells of a run that was made again, without the decisions that led there."""
    config = plan.recipe.generate
    assert config is not None
    planned = Counter(key_of(slot.cell, config.coverage.cells) for slot in plan.planned)
    cells = {key: CellState(key, count, count, 0) for key, count in planned.items()}
    for slot in book.slots:
        cell = cells[key_of(slot.cell, config.coverage.cells)]
        cell.issued += 1
        cell.ended += 1
        if slot.id in book.documents:
            cell.filled += 1
        else:
            cell.lost[book.cause(slot)] += 1
    return list(cells.values())
