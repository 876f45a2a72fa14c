"""What every adapter does alike: read the texts, warm up, spend processor time, tell it as one line of JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

WARM = 20  # texts before the clock starts


def run(task: Callable[[Sequence[str]], Any]) -> None:
    """Run `task` on the texts of the file that the command line names, as many as it says."""
    path, most = sys.argv[1], int(sys.argv[2])
    with open(path, encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for _, line in zip(range(most), file, strict=False)]
    task(texts[:WARM])
    begun = time.process_time()
    told = task(texts)
    spent = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = sum(len(text.encode()) for text in texts)
    print(json.dumps({"documents": len(texts), "bytes": size, "cpu_s": spent, "peak_mib": peak, "told": told}))
