"""The warden: a small process that starts jails one after the other, ends them in time, and reaps all that is left.

It runs as a script of its own, with the standard library alone, because what it does is not safe in a process with
threads. Started by root it hides the host behind a mount namespace and gives root up in each child *before* bubblewrap
starts: for root the kernel counts no processes, and an interpreter under a home folder of mode 0700 must be bound while
one still may look there. It reads one JSON object a line from stdin and answers each with one.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from typing import Any

NEWNS, BIND, RECURSIVE, PRIVATE, NOSUID = 0x20000, 0x1000, 0x4000, 0x40000, 0x2
SUBREAPER = 36  # prctl option
TOLD = 4096  # bytes of stderr that are kept: only bubblewrap and the interpreter's start write there
PLACE = "/tmp"  # covered in the warden's own mount namespace, where nobody else sees it


def check(result: int, what: str) -> None:
    """Raise the error of a C call that failed."""
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def gather(libc: ctypes.CDLL, sources: list[str]) -> list[str]:
    """Paths at which an unprivileged child finds `sources`, in a mount namespace of this process alone."""
    check(libc.unshare(NEWNS), "unshare")
    check(libc.mount(b"none", b"/", None, RECURSIVE | PRIVATE, None), "private mounts")
    handles = [
        os.open(source, os.O_PATH) for source in sources
    ]  # after unshare: a mount of another namespace binds not
    check(libc.mount(b"tmpfs", PLACE.encode(), b"tmpfs", NOSUID, b"mode=755,size=1m"), "tmpfs")
    places = []
    for number, (source, handle) in enumerate(zip(sources, handles, strict=True)):
        place = f"{PLACE}/{number}"
        if os.path.isdir(f"/proc/self/fd/{handle}"):
            os.mkdir(place)
        else:
            os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o755))
        check(libc.mount(f"/proc/self/fd/{handle}".encode(), place.encode(), None, BIND | RECURSIVE, None), source)
        os.close(handle)
        places.append(place)
    os.chmod(PLACE, 0o755)
    return places


def start(
    command: list[str], seccomp: bytes, uid: int | None, environment: dict[str, str]
) -> tuple[int, int, int, int]:
    """Fork and exec; the child's pid and our ends of its stdin, stdout and stderr."""
    pipes = [os.pipe() for _ in range(4)]  # stdin, stdout, stderr, seccomp
    os.write(pipes[3][1], seccomp)
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(pipes[0][0], 0)
            os.dup2(pipes[1][1], 1)
            os.dup2(pipes[2][1], 2)
            filters = os.dup2(pipes[3][0], 9 if pipes[3][0] != 9 else 10, inheritable=True)
            os.closerange(3, filters)
            os.closerange(filters + 1, 256)
            if uid is not None:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
            os.chdir("/")
            os.execve(command[0], [item.replace("{seccomp}", str(filters)) for item in command], environment)
        except OSError as error:
            os.write(2, f"{command[0]}: {error}".encode())
        finally:
            os._exit(127)
    for mine, theirs in ((pipes[0][1], pipes[0][0]), (pipes[1][0], pipes[1][1]), (pipes[2][0], pipes[2][1])):
        os.close(theirs)
        os.set_blocking(mine, False)
    os.close(pipes[3][0])
    os.close(pipes[3][1])
    return pid, pipes[0][1], pipes[1][0], pipes[2][0]


def watch(stdin: int, stdout: int, stderr: int, given: bytes, cap: int, deadline: float) -> tuple[bytes, bytes, str]:
    """Feed and read until both outputs are closed, the cap is passed or time is over; and why it ended."""
    out, told, ended = bytearray(), bytearray(), ""
    reading, rest = {stdout, stderr}, memoryview(given)
    while reading and not ended:
        left = deadline - time.monotonic()
        if left <= 0:
            ended = "time"
            break
        readable, writable, _ = select.select(list(reading), [stdin] if stdin >= 0 else [], [], left)
        if writable:
            try:
                rest = rest[os.write(stdin, rest[:65536]) :] if rest else rest
            except OSError:
                rest = rest[:0]
            if not rest:
                os.close(stdin)
                stdin = -1
        for handle in readable:
            data = os.read(handle, 65536)
            if not data:
                reading.discard(handle)
            elif handle == stdout:
                out += data
                ended = "output" if len(out) > cap else ended
            elif len(told) < TOLD:
                told += data[: TOLD - len(told)]
    for handle in (stdin, stdout, stderr):
        if handle >= 0:
            os.close(handle)
    return bytes(out[:cap]), bytes(told), ended


def reap(pid: int) -> int:
    """Kill what is left of a jail and wait for every process of it; the exit status of its first."""
    status = -1
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    while True:
        try:  # this process is the reaper of orphans: an empty answer means that none is left, not even a dying one
            ended, code = os.waitpid(-1, 0)
        except ChildProcessError:
            return status
        if ended == pid:
            status = os.waitstatus_to_exitcode(code)


def run(job: dict[str, Any], seccomp: bytes) -> dict[str, Any]:
    """One jail from start to end."""
    begun = time.monotonic()
    pid, stdin, stdout, stderr = start(job["command"], seccomp, job["uid"], job["environment"])
    given = base64.b64decode(job["input"])
    out, told, ended = watch(stdin, stdout, stderr, given, job["output"], begun + job["seconds"])
    status = reap(pid) if ended else _finish(pid)
    return {
        "output": base64.b64encode(out).decode(), "told": told.decode("utf-8", "replace"), "ended": ended,
        "status": status, "seconds": time.monotonic() - begun,
    }  # fmt: skip


def _finish(pid: int) -> int:
    """Both outputs are closed, so the jail is over but for its exit; who holds it up longer is killed."""
    for _ in range(100):
        ended, code = os.waitpid(pid, os.WNOHANG)
        if ended:
            reap_rest()
            return os.waitstatus_to_exitcode(code)
        time.sleep(0.002)
    return reap(pid)


def reap_rest() -> None:
    """Wait for what the first process of a jail left behind, which its namespace ends."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def main() -> None:
    """Serve until stdin closes."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the driver, which drains first
    setting = json.loads(sys.stdin.readline())
    try:
        places = gather(libc, setting["sources"]) if setting["uid"] is not None else setting["sources"]
        answer: dict[str, Any] = {"places": places}
    except OSError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
    seccomp = base64.b64decode(setting["seccomp"])
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line), seccomp)), flush=True)


if __name__ == "__main__":
    main()
