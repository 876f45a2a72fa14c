"""Release counts: a thousand kills, one case a seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.test_kills import check, kill_until_done


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(10))
def test_a_hundred_kills_a_seed_lose_and_repeat_nothing(tmp_path: Path, seed: int) -> None:
    assert kill_until_done(tmp_path, 100, 6000, seed) == 100
    check(tmp_path, 100, 6000)
