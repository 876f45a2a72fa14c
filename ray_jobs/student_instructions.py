"""Instruction tuning on plain files."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from corpus.errors import RecipeError
from ray_jobs.student_config import student_config
from ray_jobs.student_files import tell
from trainer.instructions import Example, examples_of, middle, pack_examples, reply_nats, teach_template
from trainer.train import RESULT, train

# A gentle AdamW: what pretraining found is not to be forgotten for a few thousand replies.
GENTLE = [
    "optimizer.kind=adamw",
    "optimizer.adamw_lr=2e-4",
    "schedule.kind=cosine",
    "schedule.warmup=0.05",
    "packing=documents",
]


def tune(files: Sequence[str], init: str, out: Path, epochs: float, keep: float, settings: Sequence[str]) -> str:
    """Train on the replies in `files`; the exported model's folder. `keep`: the share of examples near the median loss."""
    model = Path(init)
    examples = [item for file in files for item in _examples(Path(file))]
    if keep < 1 and not (out / RESULT).is_file():
        chosen = middle(reply_nats(model, examples), keep)
        print(f"kept {len(chosen):,} of {len(examples):,} examples by their loss", file=sys.stderr)
        examples = [examples[place] for place in chosen]
    if not (out / "packed").is_dir():
        pack_examples(examples, model, out / "packed")
    context = _context(model, settings)
    tokens = _tokens(out / "packed", epochs)
    start = [*GENTLE, f"model.context={context}", f"batch_tokens={_batch(context, tokens)}"]
    config = student_config("tiny", [*start, *settings], init=init, tokens=tokens)
    result = train(config, out / "packed", model, out, progress=tell)
    teach_template(result.model)
    return str(result.model)


def _examples(file: Path) -> Iterator[Example]:
    for number, row in enumerate(_rows(file)):
        yield from examples_of(row, f"{file}:{number + 1}")


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    if not file.is_file():
        raise RecipeError(f"{file}: no such file")
    if file.suffix == ".parquet":
        yield from pq.read_table(file).to_pylist()
        return
    with file.open("rb") as lines:
        for number, line in enumerate(lines):
            if line.strip():
                try:
                    yield orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    raise RecipeError(f"{file}:{number + 1}: not JSON: {error}") from None


def _context(model: Path, settings: Sequence[str]) -> int:
    named = [item.partition("=")[2] for item in settings if item.startswith("model.context=")]
    config = orjson.loads((model / "config.json").read_bytes())
    return int(named[-1]) if named else min(1024, int(config["max_position_embeddings"]))


def _tokens(packed: Path, epochs: float) -> int:
    return max(1, round(epochs * orjson.loads((packed / "pack.json").read_bytes())["tokens"]))


def _batch(context: int, tokens: int) -> int:
    """About fifty steps at least, of at most 16 k tokens."""
    return context * max(1, min(16_384 // context, tokens // context // 50))
