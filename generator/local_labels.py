"""Soft labels of given text by a model in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import RecipeError
from corpus.soft_labels import DRAWN, TokenLabels
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

    def _logits(self, window: Window) -> tuple[Any, Any]:
        """Logits [n, vocabulary] at the window's labelled tokens, and these tokens [n, 1]."""
        import torch

        ids = torch.tensor([window.ids], device=self._model.device)
        logits = self._model(input_ids=ids, use_cache=False).logits[0, window.seen - 1 : -1].float()
        return logits, ids[0, window.seen :, None]

    def _one(self, window: Window, k: int) -> TokenLabels:
        import torch

        with torch.inference_mode():
            logits, drawn = self._logits(window)
            total = logits.logsumexp(-1, keepdim=True)
            values, places = logits.topk(k, dim=-1)
            own = logits.gather(-1, drawn) - total
        return TokenLabels(
            drawn[:, 0].cpu().numpy().astype(np.int32), own[:, 0].cpu().numpy().astype(np.float16),
            places.cpu().numpy().astype(np.int32), (values - total).cpu().numpy().astype(np.float16),
        )  # fmt: skip


class LocalDraws(LocalScorer):
    """The same, but the entries are tokens drawn from the whole distribution, each with the logarithm of its frequency.

    Learned from, they have the gradient of the whole distribution in expectation (Anshumann et al. 2025, arXiv
    2503.16870), which the likeliest entries have not. The same text gets the same draws.
    """

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, name + DRAWN)

    def _one(self, window: Window, k: int) -> TokenLabels:
        """`k` draws a token; entries of fewer different ones are filled up with −∞."""
        import torch

        with torch.inference_mode():
            logits, own = self._logits(window)
            logs = torch.log_softmax(logits, -1)
            source = torch.Generator(logits.device).manual_seed(hash(tuple(window.ids)) & 0x7FFFFFFF)
            drawn = torch.multinomial(logs.exp(), k, replacement=True, generator=source).sort(1).values
            counts = _runs(drawn)
            counts, order = counts.sort(dim=1, descending=True, stable=True)
            return TokenLabels(
                own[:, 0].cpu().numpy().astype(np.int32), logs.gather(1, own)[:, 0].cpu().numpy().astype(np.float16),
                drawn.gather(1, order).cpu().numpy().astype(np.int32), (counts / k).log().cpu().numpy().astype(np.float16),
            )  # fmt: skip


def _runs(ordered: Any) -> Any:
    """How often each value of a sorted row occurs, at its first place; 0 at the others."""
    import torch

    width = ordered.shape[1]
    first = torch.ones_like(ordered, dtype=torch.bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    number = first.cumsum(1) - 1
    totals = torch.zeros_like(ordered, dtype=torch.float32).scatter_add_(
        1, number, torch.ones(ordered.shape, device=ordered.device)
    )
    return torch.where(first, totals.gather(1, number.clamp(max=width - 1)), 0.0)
