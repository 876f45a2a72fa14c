"""A teacher with its weights in this process, asked for whole distributions in the student's vocabulary."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.loss import apart, linear_head
from trainer.model import load_model
from trainer.trimmed import KEPT, kept_ids


class LocalDistributions:
    """Any causal language model whose tokenizer the student's is, or was trimmed from."""

    def __init__(self, folder: Path, tokenizer: Path, width: int, device: torch.device, dtype: str = "float32") -> None:
        """`tokenizer`: the student's folder; `width`: entries of the student's output, padding included."""
        self._model: Any = load_model(folder).to(device).to(getattr(torch, dtype)).eval()
        whole = self._model.get_input_embeddings().weight.shape[0]
        kept = kept_ids(tokenizer) if (tokenizer / KEPT).is_file() else np.arange(min(width, whole))
        self._ids = torch.from_numpy(kept.clip(min=0)).to(device)
        self._lacking = torch.from_numpy(kept < 0).to(device)
        self._width, self._chunked = width, linear_head(self._model.float() if dtype == "float32" else self._model)

    @torch.no_grad()
    def logits(
        self, inputs: torch.Tensor, positions: torch.Tensor | None, segments: torch.Tensor | None
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        """See `Teacher`. Only the kept columns of the output matrix are multiplied."""
        given = {"position_ids": positions, "attention_mask": apart(segments)} if segments is not None else {}
        theirs = self._ids[inputs]
        if not self._chunked:
            whole = self._model(input_ids=theirs, use_cache=False, **given).logits.flatten(0, 1)
            return lambda chosen: self._padded(whole[chosen][:, self._ids].float())
        body = getattr(self._model, self._model.base_model_prefix)
        hidden = body(input_ids=theirs, use_cache=False, **given).last_hidden_state.flatten(0, 1)
        head = self._model.get_output_embeddings().weight[self._ids]
        return lambda chosen: self._padded((hidden[chosen] @ head.T).float())

    def _padded(self, found: torch.Tensor) -> torch.Tensor:
        found = found.masked_fill(self._lacking, -torch.inf)
        return torch.nn.functional.pad(found, (0, self._width - found.shape[1]), value=-torch.inf)
