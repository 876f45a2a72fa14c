"""Whether vLLM's CPU build runs its model inside the engine's process, and with which settings.

By itself it gives the model a process of its own, bound to all cores but one, and the engine on that last core asks
in a tight loop whether a step is done. On two cores that is half the machine (measured, 135 M parameters, 64 streams,
float32: 94 to 102 tokens a second and 121 s until it is ready; in one process 158 to 176, and 85 s). On a large machine
the core is nothing, and binding the model to one memory node is worth more.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

FEW = 16  # cores: one of them spinning is dear, and they share one memory node
FLAGS = ("--distributed-executor-backend", "uni")
# Flags of the user that ask for more than one process, or for one in particular.
SPREAD = ("--distributed-executor-backend", "--tensor-parallel-size", "-tp", "--pipeline-parallel-size", "-pp",
          "--data-parallel-size", "-dp", "--nnodes")  # fmt: skip


def cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def runs_in_one_process(extra: Sequence[str], count: int | None = None) -> bool:
    """Whether the model of a CPU server with the user's `extra` flags shares the engine's process."""
    named = {flag.split("=")[0] for flag in extra}
    return (cores() if count is None else count) <= FEW and named.isdisjoint(SPREAD)


def one_process_environment() -> dict[str, str]:
    """Without the first setting vLLM takes `uni` for a mistake on a CPU; OpenMP reads the others when it is loaded.

    Threads that wait for each other spin for microseconds and then sleep: where they spin on, as GNU OpenMP's do, one
    more busy process on the machine costs nine tenths of the speed (measured on two cores: 164 tokens a second alone
    and 95 beside it; 129 and 85 where they never spin; 13 beside it where they always do).
    """
    return {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "OMP_NUM_THREADS": str(cores()), "GOMP_SPINCOUNT": "20000"}
