"""Whatever endpoints do, and however often a request is sent: one outcome each, on disk, and nothing left running."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.journal import JournalWriter, read_journal
from corpus.store import open_store
from generator.ask import Asker, outcomes_of
from generator.pool import Pool
from generator.reply import Reply, TeacherError, outcome_of
from tests.fakes.asking import ScriptedTeacher, request_of

DEEDS = ["at once", "late", "very late", "hang", "refused", "busy", "half"]
COUNT, WINDOW = 60, 12


def endpoint(name: str, deeds: list[str]) -> ScriptedTeacher:
    """Does one deed after another, and answers at once when it has none left."""
    left = iter(deeds)

    async def act(request, before):
        deed = next(left, "at once")
        if deed in ("refused", "busy", "half"):
            reason = {"refused": "connection", "busy": "rate_limited", "half": "malformed"}[deed]
            raise TeacherError(reason, deed, retryable=True, retry_after_s=0.003)
        await asyncio.sleep({"at once": 0.0, "late": 0.03, "very late": 0.08, "hang": 60.0}[deed])
        return name

    return ScriptedTeacher(act)


@given(st.lists(st.lists(st.sampled_from(DEEDS), max_size=50), min_size=2, max_size=3))
@settings(max_examples=15, deadline=None)
def test_every_request_has_exactly_one_outcome_under_hedging(scripts):
    async def go(store):
        pool = Pool([endpoint(str(place), deeds) for place, deeds in enumerate(scripts)],
                    most=WINDOW, stall_s=0.02, rest_s=0.02)  # fmt: skip
        asker = Asker(pool, JournalWriter(store, "w", sync_ms=1), window=WINDOW, retries=40)
        found = [item async for item in outcomes_of(map(request_of, range(COUNT)), asker, ahead=2 * WINDOW)]
        await pool.close()
        await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        return found, [item.in_flight for item in pool.states()], left

    with (
        tempfile.TemporaryDirectory() as folder,
        patch("generator.ask.PAUSE_S", 0.002),
        patch("generator.ask.PAUSE_LIMIT_S", 0.02),
    ):
        store = open_store(folder)
        outcomes, in_flight, left = asyncio.run(go(store))
        stored = [outcome_of(record) for record in read_journal(store)]
    assert Counter(item.request_key for item in stored) == Counter(f"key-{number}" for number in range(COUNT))
    assert sorted(map(repr, stored)) == sorted(map(repr, outcomes))
    assert all(isinstance(item, Reply) for item in outcomes)
    assert set(in_flight) == {0}
    assert left == []
