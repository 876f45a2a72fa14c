"""What a run would find answered already, judged as the run itself would judge it, with nothing sent and nothing kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from corpus.store import Store, open_store
from generator.book import Book
from generator.verification import Stored as Verdicts
from generator.waves import Waves
from ray_jobs.planning import Plan
from ray_jobs.stages.generate import elsewhere_for, elsewhere_of, open_book, stored_outcomes
from ray_jobs.tombstones import forgotten_slots

MANY = 1 << 30


@dataclass(frozen=True, slots=True)
class Stored:
    """Requests that are answered, by this run or by others, how many are to be sent first, and the book as it is then."""

    own: int
    reused: int
    open: int
    book: Book


def answered(plan: Plan, folder: Store, warn: Callable[[str], None] = lambda text: None) -> tuple[int, int]:
    """How many requests this run has replies to, and how many more the other runs of the store have."""
    other = elsewhere_of(plan.recipe, warn)
    if not stored_outcomes(folder.child("generate")) and not other:
        return 0, 0
    found = stored_of(plan, folder, warn)
    return found.own, found.reused


def stored_of(
    plan: Plan, folder: Store, warn: Callable[[str], None] = lambda text: None, verification: Verdicts | None = None
) -> Stored:
    """Every slot is asked of the store; retries that follow from stored replies are asked of it too. Without
    `verification` exercises count as they are, and no code is run."""
    with tempfile.TemporaryDirectory() as scratch:
        book = open_book(plan, forgotten=forgotten_slots(folder, plan.slots), verification=verification)
        outcomes = stored_outcomes(folder.child("generate"))
        waves = Waves(book, open_store(scratch), plan.request, outcomes, elsewhere=elsewhere_for(plan.recipe, warn))
        asked = len(waves.take(MANY))
        while more := waves.take(MANY):  # what was judged last opens its retries
            asked += len(more)
    return Stored(waves.recalled - book.reused, book.reused, asked, book)
