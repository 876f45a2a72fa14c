"""Serves a teacher in the foreground until it is stopped."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from corpus.errors import SetupError
from generator.local import SERVED_NAME, ensure_embedded_teacher
from generator.server import VllmServer
from generator.teacher_config import ServerConfig
from ray_jobs.cluster import cache_folder


def serve_until_stopped(model: str, port: int, extra: tuple[str, ...]) -> None:
    """Start, print the URL on stdout when it answers, and wait for Ctrl-C or SIGTERM."""
    folder, name = folder_and_name(model)
    log = cache_folder() / "logs" / "teacher.log"
    stop = _stopped_by_signals()
    with VllmServer(folder, name, ServerConfig(port=port), log, extra) as server:
        print(f"starting {name}; log: {log}", file=sys.stderr)
        server.start()
        print(server.wait_ready(), flush=True)
        while not stop.wait(1.0):
            if not server.alive():
                raise SetupError("vLLM ended", hint=f"its log: {log}")


def serve_replicas_until_stopped(
    model: str, count: int, extra: tuple[str, ...], *, address: str, register: str, api_key_env: str
) -> None:
    """The same by Ray: `count` servers, each URL on stdout when it answers, all of them in the register."""
    from ray_jobs.replicas import ReplicaOrder, serve_replicas

    order = ReplicaOrder(model, extra, api_key_env or None)
    print(f"starting {count} replicas of {model}", file=sys.stderr)
    serve_replicas(
        order, count, _stopped_by_signals(), address=address or None, register=register or None,
        told=lambda url: print(url, flush=True),
    )  # fmt: skip


def _stopped_by_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def folder_and_name(model: str) -> tuple[str, str]:
    """The folder or name that vLLM loads, and the name that it serves; the embedded teacher is converted first."""
    if model == "embedded":
        return str(ensure_embedded_teacher(cache_folder())), SERVED_NAME
    return model, Path(model).name if Path(model).is_dir() else model
