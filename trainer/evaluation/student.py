"""A student opened for measuring: any causal language model in the Hugging Face layout, with its tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from corpus.errors import RecipeError
from trainer.model import load_model
from trainer.tokenizer import load_tokenizer, start_token


@dataclass(frozen=True)
class Student:
    """`start` is the token that every text begins after; `context` is how many tokens one pass may hold."""

    model: Any
    tokenizer: Any
    start: int
    context: int
    device: torch.device

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, without special tokens."""
        return [item.ids for item in self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


def open_student(folder: Path, *, threads: int = 1) -> Student:
    """Load weights in float32, on the GPU where there is one. Raises `RecipeError` where no model is."""
    if not (folder / "config.json").is_file():
        raise RecipeError(f"{folder}: no exported student there", hint="hornbook student export")
    torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = load_model(folder).to(device).eval()
    tokenizer = load_tokenizer(folder)
    context = int(getattr(model.config, "max_position_embeddings", 2048))
    return Student(model, tokenizer, start_token(tokenizer, folder), context, device)
