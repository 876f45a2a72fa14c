"""Keeps transformers and vLLM from importing torchvision, which nobody needs for text.

pip takes torchvision for CUDA beside a torch for the CPU, because vLLM's CPU build names it without a build. Such a
pair cannot be imported together, and transformers then loads no model at all (measured with torchvision 0.28.0 and
torch 2.13.0+cpu: "Could not import module 'LlamaConfig'").
"""

from __future__ import annotations

import sys

UNNEEDED = ("torchvision", "torchaudio", "torchcodec")


def leave_out_torchvision() -> None:
    """Call before the first import of transformers; a process that has imported it already keeps it."""
    for name in UNNEEDED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # what the import system takes for "not installed"
