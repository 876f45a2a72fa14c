"""What a command and everything that it starts cost: `python -m bench.peers.tree OUT.json [--cpus 0] -- COMMAND…`.

This process adopts orphans (`PR_SET_CHILD_SUBREAPER`), so that a daemon which leaves its parent, as Ray's do, is still
counted: at the end the kernel's own sum over all reaped children is the processor time of the whole job. Before the
end, what the living have used is read from /proc ten times a second, so that a window of time can be cut out.
"""

from __future__ import annotations

import argparse
import ctypes
import itertools
import json
import os
import resource
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
POLL_S, MEMORY_EVERY = 0.1, 5
LINGER_S = 20.0  # how long what the command left running may take to end by itself
TAIL = 2000  # characters kept of what the command printed


@dataclass
class Cost:
    """Seconds are of the machine's monotonic clock. `samples`: time, processor seconds so far."""

    begun: float = 0.0
    ended: float = 0.0
    code: int | None = None
    cpu_s: float = 0.0
    peak_pss_mib: float = 0.0
    most_processes: int = 0
    outlived: int = 0
    samples: list[tuple[float, float]] = field(default_factory=list)
    tail: str = ""

    def cpu_between(self, start: float, end: float) -> float:
        """Processor seconds used in a window, by straight lines between the samples."""
        return self._cpu_at(end) - self._cpu_at(start)

    def _cpu_at(self, moment: float) -> float:
        points = [(self.begun, 0.0), *(tuple(item) for item in self.samples), (self.ended, self.cpu_s)]
        for (at, used), (later, more) in itertools.pairwise(points):
            if at <= moment <= later and later > at:
                return used + (more - used) * (moment - at) / (later - at)
        return points[-1][1] if moment > self.ended else 0.0


def measured(command: list[str], cpus: set[int], limit_s: float, log: Path) -> Cost:
    """Run `command` on `cpus` to its end, or for `limit_s` seconds."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    cost = Cost(begun=time.monotonic())
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None,
        )  # fmt: skip
    end, looks = cost.begun + limit_s, 0
    while cost.code is None and time.monotonic() < end:
        time.sleep(POLL_S)
        _look(cost, memory=looks % MEMORY_EVERY == 0)
        looks += 1
        cost.code = process.poll()
    cost.ended = time.monotonic()
    cost.outlived = _end_rest(0.0 if cost.code is None else LINGER_S)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost.cpu_s = used.ru_utime + used.ru_stime
    cost.tail = log.read_text("utf-8", "replace")[-TAIL:]
    return cost


def _look(cost: Cost, *, memory: bool) -> None:
    living = psutil.Process().children(recursive=True)
    used, pss = resource.getrusage(resource.RUSAGE_CHILDREN), 0
    total = used.ru_utime + used.ru_stime
    for process in living:
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
            pss += process.memory_full_info().pss if memory else 0
    cost.samples.append((time.monotonic(), round(total, 3)))
    cost.peak_pss_mib = max(cost.peak_pss_mib, pss / 2**20)
    cost.most_processes = max(cost.most_processes, len(living))


def _end_rest(linger_s: float) -> int:
    """Reap what ends by itself, end the rest; how many had to be ended."""
    end, killed = time.monotonic() + linger_s, 0
    while True:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        living = psutil.Process().children(recursive=True)
        if not living:
            return killed
        if time.monotonic() > end:
            for process in living:
                with suppress(psutil.Error):
                    process.send_signal(signal.SIGKILL)
                    killed += 1
        time.sleep(POLL_S)


def main() -> None:
    """Measure, and write what was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("out", type=Path)
    options.add_argument("--cpus", default="", help="cores for the command, such as 0 or 0,1; all when left out")
    options.add_argument("--limit", type=float, default=300.0)
    options.add_argument("command", nargs="+")
    chosen = options.parse_args()
    cpus = {int(item) for item in chosen.cpus.split(",") if item}
    cost = measured(chosen.command, cpus, chosen.limit, chosen.out.with_suffix(".log"))
    chosen.out.write_text(json.dumps(asdict(cost)))


if __name__ == "__main__":
    main()
