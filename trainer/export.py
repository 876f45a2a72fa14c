"""A finished student as a folder that transformers and vLLM load: safetensors, configuration, tokenizer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from trainer import files
from trainer.tokenizer import TOKENIZER, TOKENIZER_CONFIG, tokenizer_file


def export(model: Any, tokenizer: Path, out: Path) -> Path:
    """Write `out` whole, weights in float32 as they were trained."""
    home = tokenizer_file(tokenizer).parent
    with files.whole_folder(out, replace=True) as folder:
        model.config.use_cache = True
        model.save_pretrained(folder)
        model.config.use_cache = False
        for name in (TOKENIZER, TOKENIZER_CONFIG):
            shutil.copyfile(home / name, folder / name)
    return out
