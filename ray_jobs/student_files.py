"""Students on plain files: train, evaluate, export."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from corpus.document import Document
from corpus.errors import RecipeError, StateError
from corpus.readers import read_files
from trainer.config import PRESETS
from trainer.files import whole_folder


def train_files(files: Sequence[str], out: Path, preset: str, tokens: int | None) -> str:
    """Train on the text of files; the exported model's folder."""
    from trainer.packing import pack
    from trainer.tokenizer import train_tokenizer
    from trainer.train import Progress, train

    if preset not in PRESETS:
        raise RecipeError(f"no preset {preset!r}", hint=f"known: {', '.join(PRESETS)}")
    config = PRESETS[preset].model_copy(update={"tokens": tokens} if tokens else {})
    texts = _texts(files)
    tokenizer = out / "tokenizer" / "tokenizer.json"
    if not tokenizer.is_file():
        train_tokenizer(texts, config.vocab_size, tokenizer.parent)
    shards = pack(texts, tokenizer, out / "packed")

    def tell(progress: Progress) -> None:
        print(
            f"step {progress.step}/{progress.steps}  loss {progress.loss:.3f}  {progress.tokens_per_second:,.0f} tokens/s",
            file=sys.stderr,
        )

    return str(train(config, shards.folder, tokenizer, out, progress=tell).model)


def evaluate_files(model: Path, files: Sequence[str]) -> str:
    """Bits per byte over all bytes, with the counts, as JSON."""
    from trainer.evaluate import bits_per_byte

    if not (model / "config.json").is_file():
        raise RecipeError(f"{model}: no exported student there", hint="hornbook student export")
    result = bits_per_byte(model, _texts(files))
    return orjson.dumps(
        {"bits_per_byte": result.mean, "documents": len(result.bytes), "bytes": int(result.bytes.sum())}
    ).decode()


def export_student(student: Path, out: Path) -> str:
    """Copy the exported model of a finished student, whole or not at all."""
    source = student / "model"
    if not (source / "config.json").is_file():
        raise StateError(f"{student}: training has not finished there", hint="hornbook student train")
    with whole_folder(out) as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True)
    return str(out)


def _texts(files: Sequence[str]) -> list[str]:
    texts = [row.text for row in read_files(files) if isinstance(row, Document)]
    if not texts:
        raise RecipeError("no readable document in these files")
    return texts
