"""Stands in for `vllm serve` where a real one would take a minute: `python -m tests.fakes.vllm_stub MODE --port N`.

`serve` answers like vLLM and has a child in its session that ignores SIGTERM, as an orphaned engine does; `hang` never
answers; `die` writes the file named by STUB_LOG to its log and ends with code 1.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from generator.vllm_main import PARENT, watch_parent
from tests.fakes.teacher_server import Server, State

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


async def serve(port: int) -> None:
    """Answer on loopback until ended."""
    server = await asyncio.start_server(Server(State()).serve, "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    """Play one mode."""
    options = argparse.ArgumentParser()
    options.add_argument("mode", choices=["serve", "hang", "die"])
    options.add_argument("--port", type=int, required=True)
    chosen, _ = options.parse_known_args()
    if parent := int(os.environ.pop(PARENT, "0")):
        threading.Thread(target=watch_parent, args=(parent,), daemon=True).start()
    if chosen.mode == "die":
        sys.stderr.write(Path(os.environ["STUB_LOG"]).read_text())
        sys.exit(1)
    child = subprocess.Popen([sys.executable, "-c", STUBBORN])
    print("child", child.pid, flush=True)
    if chosen.mode == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    asyncio.run(serve(chosen.port))


if __name__ == "__main__":
    main()
