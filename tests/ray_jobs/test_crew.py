"""How much is handed out follows whether the window runs dry, within its bounds; how finely, how fast replies come."""

from __future__ import annotations

import pytest

from generator.reply import Failure
from ray_jobs import crew
from ray_jobs.asker import Answered
from ray_jobs.crew import AHEAD, MOST_AHEAD, SLOW, Lead

WINDOW, BATCH = 128, 4


def back(*, hungry: bool, replies: int = BATCH) -> Answered:
    return Answered([Failure(f"key-{place}", "connection", "", True, 1) for place in range(replies)], hungry)


def test_a_window_that_stays_full_gets_no_more() -> None:
    lead = Lead(WINDOW, 1, BATCH)
    for _ in range(200):
        lead.seen(back(hungry=False))
    assert lead.limit == AHEAD * WINDOW


def test_a_window_that_runs_dry_gets_a_batch_more_each_time_up_to_the_most() -> None:
    lead = Lead(WINDOW, 1, BATCH)
    lead.seen(back(hungry=True))
    assert lead.limit == AHEAD * WINDOW + BATCH
    for _ in range(1000):
        lead.seen(back(hungry=True))
    assert lead.limit == MOST_AHEAD * WINDOW


def test_requests_go_one_by_one_until_replies_are_fast_and_never_above_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter((0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0))
    monkeypatch.setattr(crew.time, "monotonic", lambda: next(clock))
    lead = Lead(WINDOW, 1, BATCH)
    assert lead.next(0) == 1, "nothing is known yet"
    lead.seen(back(hungry=False, replies=int(SLOW)))
    assert lead.next(0) == 1
    lead.seen(back(hungry=False, replies=int(SLOW) + 1))
    assert lead.next(0) == BATCH
    assert lead.next(lead.limit - BATCH) == BATCH
    assert lead.next(lead.limit - BATCH + 1) == 0
    lead.seen(back(hungry=False, replies=1))
    assert (lead.next(lead.limit - 1), lead.next(lead.limit)) == (1, 0)
