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
    folder, name = _folder_and_name(model)
    log = cache_folder() / "logs" / "teacher.log"
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with VllmServer(folder, name, ServerConfig(port=port), log, extra) as server:
        print(f"starting {name}; log: {log}", file=sys.stderr)
        server.start()
        print(server.wait_ready(), flush=True)
        while not stop.wait(1.0):
            if not server.alive():
                raise SetupError("vLLM ended", hint=f"its log: {log}")


def _folder_and_name(model: str) -> tuple[str, str]:
    if model == "embedded":
        return str(ensure_embedded_teacher(cache_folder())), SERVED_NAME
    return model, Path(model).name if Path(model).is_dir() else model
