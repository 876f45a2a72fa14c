"""A Ray that does not come up is named as what it is, after a second try."""

from __future__ import annotations

import os

import pytest

from corpus.errors import SetupError
from ray_jobs.cluster import connect, loopback_environment
from ray_jobs.recipe import RunConfig

LATE = Exception("The current node timed out during startup.")


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[BaseException | None]:
    """What each start of Ray does, the first first."""
    os.environ.update(loopback_environment())  # Ray reads its settings when it is imported, once for all tests
    import ray

    planned: list[BaseException | None] = []

    def init(**options: object) -> None:
        if (error := planned.pop(0)) is not None:
            raise error

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    return planned


def test_a_late_node_is_given_a_second_start(tries: list[BaseException | None]) -> None:
    tries += [LATE, None]
    connect(RunConfig(workers=1))
    assert tries == []


def test_a_node_that_never_comes_is_an_environment_error_with_a_way_out(tries: list[BaseException | None]) -> None:
    tries += [LATE, LATE]
    with pytest.raises(SetupError, match="timed out during startup") as caught:
        connect(RunConfig(workers=1))
    assert "run.workers" in caught.value.hint


def test_a_refused_address_is_not_tried_again(tries: list[BaseException | None]) -> None:
    tries += [ConnectionError("no such cluster"), None]
    with pytest.raises(SetupError, match="no such cluster"):
        connect(RunConfig(address="127.0.0.1:1"))
    assert tries == [None]
