"""A finished student as a folder that transformers and vLLM load: safetensors, configuration, tokenizer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from trainer import files
from trainer.compression.constrained import write_stored
from trainer.sharding import whole
from trainer.tokenizer import TOKENIZER, TOKENIZER_CONFIG, tokenizer_file


def export(model: Any, tokenizer: Path, out: Path, *, leads: bool = True) -> Path:
    """Write `out` whole, weights in float32 as they were trained. In a team whose members hold parts all of them call, and
    the one that leads writes."""
    home = tokenizer_file(tokenizer).parent
    once = {id(value): whole(value) for value in model.state_dict(keep_vars=True).values()}  # tied ones stay tied
    weights = {name: once[id(value)] for name, value in model.state_dict(keep_vars=True).items()}
    if not leads:
        return out
    with files.whole_folder(out, replace=True) as folder:
        weights = write_stored(model, weights, folder)
        model.config.use_cache = True
        model.save_pretrained(folder, state_dict=weights)
        model.config.use_cache = False
        for name in (TOKENIZER, TOKENIZER_CONFIG):
            shutil.copyfile(home / name, folder / name)
    return out
