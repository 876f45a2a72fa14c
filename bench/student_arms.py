"""Small students trained side by side for a comparison: text from files, held-out documents, resumable, paired by seed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from corpus.document import Document
from corpus.ids import digest
from corpus.readers import read_files
from trainer.evaluate import bits_per_byte
from trainer.train import TrainResult

HELD_OUT = 10  # of so many documents, one is held out
T_95 = {
    1: 12.706,
    2: 4.303,
    3: 3.182,
    4: 2.776,
    5: 2.571,
    6: 2.447,
    7: 2.365,
    8: 2.306,
    9: 2.262,
}  # Student's t, two-sided


def texts_of(files: Sequence[str], megabytes: float) -> tuple[list[str], list[str]]:
    """(to train on, held out), parted by a hash of each document's text and cut at a size; pydoc's own text without files."""
    if files:
        rows = [row.text for row in read_files(list(files)) if isinstance(row, Document)]
    else:
        from pydoc_data.topics import topics

        rows = list(topics.values())
    rows.sort(key=lambda text: digest("order", text))
    sizes = np.cumsum([len(text.encode()) for text in rows])
    rows = rows[: int(np.searchsorted(sizes, megabytes * 1e6)) + 1]
    held = [text for text in rows if int(digest("held", text)[:8], 16) % HELD_OUT == 0]
    return [text for text in rows if int(digest("held", text)[:8], 16) % HELD_OUT], held


def scored(folder: Path, make: Callable[[], TrainResult], held: Sequence[str]) -> dict[str, Any]:
    """Train in `folder` and score on `held`, unless that was done before: bits per byte, and the curve."""
    file = folder / "score.json"
    if not file.is_file():
        result = make()
        found = bits_per_byte(result.model, held)
        file.write_text(json.dumps({"bits_per_byte": found.mean, "curve": result.curve, "seconds": result.seconds,
                                    "bytes": int(found.bytes.sum())}))  # fmt: skip
    return json.loads(file.read_text())


def paired(a: Sequence[float], b: Sequence[float]) -> dict[str, Any]:
    """Mean of a − b over seeds, with a 95 % interval (Student's t over the pairs)."""
    values = np.asarray(a) - np.asarray(b)
    half = T_95[len(values) - 1] * float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    mean = float(values.mean())
    return {"mean": round(mean, 4), "low": round(mean - half, 4), "high": round(mean + half, 4),
            "by_seed": [round(float(value), 4) for value in values]}  # fmt: skip


def summary(scores: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Mean and standard deviation of each arm."""
    return {
        arm: {"mean": round(float(np.mean(values)), 4), "sd": round(float(np.std(values, ddof=1)), 4) if len(values) > 1 else None,
              "by_seed": [round(value, 4) for value in values]}
        for arm, values in scores.items()
    }  # fmt: skip
