"""Soft labels of given text by a model in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import RecipeError
from corpus.soft_labels import TokenLabels
from generator.given_text import Window
from generator.text_only import leave_out_torchvision

ROWS = 2048  # tokens whose whole distributions are in memory at once: 400 MB at 49,152 entries of four bytes


class LocalScorer:
    """A model whose weights are in a folder, in this process; several times as fast as its own API (no JSON)."""

    def __init__(self, folder: Path, name: str) -> None:
        leave_out_torchvision()
        import torch
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging

        logging.disable_progress_bar()
        device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = "bfloat16" if device == "cuda" else "float32"
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval().to(device)
        self.name = name
        self.window = min(int(self._model.config.max_position_embeddings), ROWS)

    def label(self, windows: Sequence[Window], k: int) -> list[TokenLabels]:
        """See `Scorer`. Raises `RecipeError` for more entries than the vocabulary has."""
        if k > self._model.config.vocab_size:
            raise RecipeError(f"k = {k:,} of a vocabulary of {self._model.config.vocab_size:,}")
        return [self._one(window, k) for window in windows]

    def _one(self, window: Window, k: int) -> TokenLabels:
        import torch

        with torch.inference_mode():
            ids = torch.tensor([window.ids], device=self._model.device)
            logits = self._model(input_ids=ids, use_cache=False).logits[0, window.seen - 1 : -1].float()
            total, drawn = logits.logsumexp(-1, keepdim=True), ids[0, window.seen :, None]
            values, places = logits.topk(k, dim=-1)
            own = logits.gather(-1, drawn) - total
        return TokenLabels(
            drawn[:, 0].cpu().numpy().astype(np.int32), own[:, 0].cpu().numpy().astype(np.float16),
            places.cpu().numpy().astype(np.int32), (values - total).cpu().numpy().astype(np.float16),
        )  # fmt: skip
