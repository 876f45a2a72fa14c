"""Compressing a student, with what it lost on a text, and what a little training gave back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from corpus.errors import RecipeError
from ray_jobs.student_files import texts_of
from trainer.compression.heal import heal
from trainer.compression.routes import compress, measure

CURVE = 20  # points of the healing that are told


def compress_files(source: Path, out: Path, how: str, amount: float, files: Sequence[str], tokens: int = 0) -> str:
    """Compress and measure; JSON with bytes and, on text, bits per byte before and after.

    `tokens` to heal with: then every tenth document is kept for measuring, and the others are read.
    """
    texts = texts_of(files) if files else []
    if tokens and len(texts) < 10:
        raise RecipeError(
            "--heal reads text, and measures on every tenth document of it", hint="--text FILE with ten or more"
        )
    held = texts[::10] if tokens else texts
    read = [text for place, text in enumerate(texts) if place % 10] if tokens else texts
    found: dict[str, Any] = asdict(compress(source, how, out, amount=amount, texts=read))
    if texts:
        before, after = measure(source, held), measure(out, held)
        found |= {"before": before, "after": after, "loss_change": _change(before, after)}
    if tokens:
        curve = heal(out, how, read, tokens)
        healed = measure(out, held)
        found |= {
            "healed": healed,
            "healed_loss_change": _change(found["before"], healed),
            "healing": curve[:: -(-len(curve) // CURVE)],
        }
    return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()


def _change(before: dict[str, float], after: dict[str, float]) -> float:
    return round(after["bits_per_byte"] / before["bits_per_byte"] - 1, 5)
