"""Release counts: a thousand kills, with seeds that are printed and can be set."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.test_kills import kill_until_done, oracle


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(10))
def test_a_hundred_kills_a_seed_lose_and_repeat_nothing(tmp_path: Path, seed: int) -> None:
    killed = kill_until_done(tmp_path, 100, 6000, seed)
    found = oracle(tmp_path)
    print(f"seed {seed}: {killed} kills")
    assert set(found) == set(range(6000))
    assert max(found.values()) == 1
