"""How much is handed out follows whether the window runs dry, within its bounds."""

from __future__ import annotations

from generator.reply import Failure
from ray_jobs.asker import Answered
from ray_jobs.crew import AHEAD, MOST_AHEAD, Lead

WINDOW, BATCH = 128, 4


def back(*, hungry: bool) -> Answered:
    return Answered([Failure(f"key-{place}", "connection", "", True, 1) for place in range(BATCH)], hungry)


def test_a_window_that_stays_full_gets_no_more() -> None:
    lead = Lead(WINDOW, 1, BATCH)
    before = lead.batches
    for _ in range(200):
        lead.seen(back(hungry=False))
    assert before == AHEAD * WINDOW / BATCH
    assert lead.batches == before


def test_a_window_that_runs_dry_gets_a_batch_more_each_time_up_to_the_most() -> None:
    lead = Lead(WINDOW, 1, BATCH)
    before = lead.batches
    lead.seen(back(hungry=True))
    assert lead.batches == before + 1
    for _ in range(1000):
        lead.seen(back(hungry=True))
    assert lead.batches == MOST_AHEAD * WINDOW / BATCH
