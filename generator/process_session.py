"""Ends a program and everything it started. Engine processes of vLLM outlive their parent's death for minutes
(measured: a worker was still there after its API server had gone), so they are found by their session."""

from __future__ import annotations

import os
import signal
import sys
import time

import psutil

GRACE_S, POLL_S = 10.0, 0.1


def members(leader: int) -> set[int]:
    """Living processes of the session that `leader` began."""
    found = set()
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.add(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess, PermissionError):
            continue
    return found


def end_session(leader: int, *, grace_s: float = GRACE_S) -> None:
    """Ask all to end, wait up to `grace_s`, then kill; returns when none is left or the kernel cannot help it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in members(leader):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue  # it ended by itself
        deadline = time.monotonic() + grace_s
        while members(leader):
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_S)
        else:
            return


if __name__ == "__main__":
    end_session(int(sys.argv[1]))
