"""Compressing a student, with what it lost on a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from ray_jobs.student_files import texts_of
from trainer.compression.routes import compress, measure


def compress_files(source: Path, out: Path, how: str, amount: float, files: Sequence[str]) -> str:
    """Compress and measure; JSON with bytes and, on text, bits per byte before and after."""
    texts = texts_of(files) if files else []
    found = asdict(compress(source, how, out, amount=amount, texts=texts))
    if texts:
        before, after = measure(source, texts), measure(out, texts)
        change = after["bits_per_byte"] / before["bits_per_byte"] - 1
        found |= {"before": before, "after": after, "loss_change": round(change, 5)}
    return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
