"""Proofs that are benches of their own: run as a command that keeps its work in a folder and prints JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.proofs.frame import Lab
from bench.proofs.material import Material

ROOT = Path(__file__).parents[2]


def told_by(lab: Lab, module: str, *arguments: str, text: bool = True, only: Sequence[str] = ()) -> Any:
    """What `python -m bench.MODULE` prints; with `text`, over the textbooks of the data, or this machine's text. `only` are the
    options of the budget that are the bench's; without it all are.

    Raises `CalledProcessError` where it fails.
    """
    given = ["--out", str(lab.home / module), "--data", *textbooks(lab.material)] if text else []
    options = [
        part
        for name, value in lab.budget.options.items()
        if not only or name in only
        for part in (f"--{name.replace('_', '-')}", f"{value:g}")
    ]
    lab.home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", f"bench.{module}", *given, *options, *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def textbooks(material: Material) -> Sequence[str]:
    """Files of the data whose name says that they teach, in English."""
    return [str(path) for path in sorted(material.data.glob("edu*.jsonl*"))] if material.data else []


def interval(found: dict[str, Any]) -> str:
    """A paired difference as the benches print it."""
    return f"{found['mean']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f})"
