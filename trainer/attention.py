"""Attention of short windows on a CPU as two plain matrix products, and positions looked up instead of computed.

torch's fused kernel for CPUs is made for long sequences: at 256 tokens of heads of 32 it takes 1.3 times as long, forward
and backward, as matrix products with a softmax between, at 128 tokens 2.7 times; from 512 tokens on it is the faster one
(measured, bfloat16 with AVX-512). Queries go in blocks, each against the keys that it may see, so that a quarter or more of
the square is left out. transformers makes no mask for a kernel whose masks it does not know, and compiled it would make one
for every window, of the whole square.

Sines and cosines of positions come from a table: the compiler would compute them anew for every head and layer, a tenth of
the step.
"""

from __future__ import annotations

from typing import Any

import torch

NAME, LONGEST, BLOCK = "hornbook_matrix_products", 256, 128


def suit_attention(model: Any, context: int, device: torch.device) -> None:
    """Let a model that attends by torch's kernel do it by matrix products where these are faster. Windows are then at most
    `context` long, and what is given as a mask says who sees whom (padding alone is not known)."""
    if model.config.model_type == "llama" and model.config.rope_parameters["rope_type"] == "default":
        model.model.rotary_emb = RotaryTable(model.model.rotary_emb, context)
    sees_all = (getattr(model.config, "sliding_window", None) or context) >= context
    if device.type == "cpu" and context <= LONGEST and sees_all and model.config._attn_implementation == "sdpa":
        from transformers import AttentionInterface

        AttentionInterface.register(NAME, attend)
        model.set_attn_implementation(NAME)


class RotaryTable(torch.nn.Module):
    """Cosines and sines of the positions below `context`, as `rotary` gives them."""

    _cos: torch.Tensor
    _sin: torch.Tensor

    def __init__(self, rotary: torch.nn.Module, context: int) -> None:
        super().__init__()
        device = next(rotary.buffers()).device
        cos, sin = rotary(torch.zeros(1, device=device), torch.arange(context, device=device)[None])
        self.register_buffer("_cos", cos[0], persistent=False)
        self.register_buffer("_sin", sin[0], persistent=False)

    def forward(self, x: torch.Tensor, position_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows of the table, [windows or 1, tokens, size], in the format of `x`."""
        return self._cos[position_ids].to(x.dtype), self._sin[position_ids].to(x.dtype)


def attend(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: torch.Tensor | None,
    scaling: float, dropout: float = 0.0, **_: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """Query, key and value [windows, heads, tokens, size] to [windows, tokens, heads, size].

    `attention_mask` is boolean, true where a token may be seen; without one it is what came before.
    """
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    before = key.shape[2] - query.shape[2]
    found = []
    for start in range(0, query.shape[2], BLOCK):
        end = min(start + BLOCK, query.shape[2])
        seen = before + end if attention_mask is None else key.shape[2]
        scores = torch.matmul(query[:, :, start:end], key[:, :, :seen].transpose(2, 3)).float() * scaling
        mask = (
            _causal(before + start, end - start, seen, query.device)
            if attention_mask is None
            else attention_mask[:, :, start:end]
        )
        weights = torch.softmax(scores.masked_fill(~mask, -torch.inf), -1).to(value.dtype)
        weights = torch.nn.functional.dropout(weights, dropout, module.training)
        found.append(torch.matmul(weights, value[:, :, :seen]))
    return torch.cat(found, 2).transpose(1, 2).contiguous(), None


def _causal(first: int, rows: int, seen: int, device: torch.device) -> torch.Tensor:
    # int32: twice as many in a register of the compiled comparison.
    keys = torch.arange(seen, device=device, dtype=torch.int32)
    return keys <= first + torch.arange(rows, device=device, dtype=torch.int32)[:, None]
