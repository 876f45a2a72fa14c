"""Which number format vLLM's CPU build should take: its own choice, unless this processor would have to emulate it."""

from __future__ import annotations

import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


def served_precision(wanted: str) -> str:
    """`wanted`, or float32 in the place of `auto` on an x86 processor without AVX-512.

    A checkpoint is bfloat16 as a rule; without AVX-512 the CPU build computes it in software (measured on two cores,
    135 M parameters, 64 streams: 13 tokens a second, 69 in float32).
    """
    return "float32" if wanted == "auto" and lacks_avx512() else wanted


def lacks_avx512(cpuinfo: Path = CPUINFO) -> bool:
    """Whether this is an x86 processor that says it has no AVX-512; False where nothing says so."""
    if platform.machine() not in ("x86_64", "AMD64") or not cpuinfo.is_file():
        return False
    flags = next((line for line in cpuinfo.read_text("utf-8").splitlines() if line.startswith("flags")), "")
    return bool(flags) and "avx512f" not in flags.split()
