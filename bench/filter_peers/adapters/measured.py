"""What every adapter does alike: read the texts, warm up, spend processor time, tell it as one line of JSON."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

WARM = 20  # texts before the clock starts, at least
FEW = 200  # of a file, of which one must get through every filter: datatrove cannot go on with no file
WARM_S = 1.0  # processor seconds of warm-up: in the first pass over a page of memory it is the system that is measured


def run(task: Callable[[Sequence[str]], Any]) -> None:
    """Run `task` on the texts of the file that the command line names, as many as it says."""
    texts = texts_of(Path(sys.argv[1]))
    task(texts[:WARM])
    begun = time.process_time()
    task(texts[:WARM])
    task(texts[: int(WARM * WARM_S / max(1e-6, time.process_time() - begun))])
    begun = time.process_time()
    told = task(texts)
    tell(texts, told, time.process_time() - begun)


def run_file(task: Callable[[Path, Path], Any]) -> None:
    """The same for a task that reads the file itself and writes into a folder: reading and writing count."""
    path = Path(sys.argv[1])
    texts = texts_of(path)
    with tempfile.TemporaryDirectory() as place:
        few, whole = Path(place) / "few.jsonl", Path(place) / "whole.jsonl"
        for name, part in ((few, texts[:FEW]), (whole, texts)):
            name.write_text("".join(json.dumps({"text": text}) + "\n" for text in part), "utf-8")
            (out := name.with_suffix("")).mkdir()
            begun = time.process_time()
            told = task(name, out)
        tell(texts, told, time.process_time() - begun)


def texts_of(path: Path) -> list[str]:
    """As many texts of a file as the command line says."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line)["text"] for _, line in zip(range(int(sys.argv[2])), file, strict=False)]


def tell(texts: Sequence[str], told: Any, spent: float) -> None:
    """One line of JSON: what was done, and what it cost."""
    status = Path("/proc/self/status").read_text()  # unlike ru_maxrss it does not begin with what the parent had
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    size = sum(len(text.encode()) for text in texts)
    print(json.dumps({"documents": len(texts), "bytes": size, "cpu_s": spent, "peak_mib": peak, "told": told}))
