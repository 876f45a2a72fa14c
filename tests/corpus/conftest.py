"""A stand-in Hub and a process of its own that publishes to it (the Hub's client reads its endpoint at import)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fakes.hub_server import HubServer
from tests.fakes.stores import s3, store

__all__ = ["s3", "store"]


@pytest.fixture(scope="session")
def hub() -> Iterator[HubServer]:
    with HubServer() as server:
        yield server


@pytest.fixture(scope="session")
def client(hub: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., dict[str, Any]]]:
    """`client(do="publish", …)` and `client(do="verify", …)`, against the stand-in."""
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_test", "HF_HUB_OFFLINE": "0", "NO_PROXY": "127.0.0.1",
                                "HF_HOME": str(tmp_path_factory.mktemp("hf")), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "tests.fakes.hub_client"], env=environment, text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip

    def ask(**asked: Any) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield ask
    assert process.stdin is not None
    process.stdin.close()
    process.wait(timeout=20)


@pytest.fixture
def state(hub: HubServer) -> Iterator[Any]:
    """The server's memory, without faults left over from another test."""
    hub.state.cut_at, hub.state.before_commit, hub.state.after_commit = None, None, None
    hub.state.requests.clear()
    yield hub.state
    hub.state.cut_at, hub.state.before_commit, hub.state.after_commit = None, None, None
