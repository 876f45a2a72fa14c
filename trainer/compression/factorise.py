"""Two routes that save bytes but no arithmetic in the Llama class: low-rank factors, and layers that are shared.

Both are stored small (factors, or one layer for several) and served whole: vLLM knows neither a Llama of factors nor
one whose layers are the same, so what it is given is the product, or the copies.
"""

from __future__ import annotations

from typing import Any

import torch

from trainer.compression.quantise import linear_layers


def low_rank(model: Any, share: float) -> tuple[Any, dict[str, torch.Tensor]]:
    """(the model with every matrix of the blocks at a lower rank, what is stored), keeping `share` of the numbers.

    The rank r of a matrix [m, n] is the largest with r · (m + n) ≤ share · m · n; its factors are those of least squared
    error (Eckart and Young 1936).
    """
    stored = _outside(model)
    with torch.no_grad():
        for name, layer in linear_layers(model).items():
            rows, columns = layer.weight.shape
            rank = max(1, int(share * rows * columns / (rows + columns)))
            left, values, right = torch.linalg.svd(layer.weight.double(), full_matrices=False)
            half = values[:rank].sqrt()
            first, second = (
                (left[:, :rank] * half).to(torch.bfloat16),
                (half[:, None] * right[:rank]).to(torch.bfloat16),
            )
            layer.weight.copy_(first.float() @ second.float())
            stored |= {f"{name}.left": first.contiguous(), f"{name}.right": second.contiguous()}
    return model, stored


def share_layers(model: Any, group: int) -> tuple[Any, dict[str, torch.Tensor]]:
    """(the model with each `group` of neighbouring layers replaced by their mean, what is stored: one of each)."""
    layers = model.model.layers
    stored = {name: value for name, value in _outside(model).items() if ".layers." not in name}
    with torch.no_grad():
        for first in range(0, len(layers), group):
            together = list(layers[first : first + group])
            for values in zip(*(layer.parameters() for layer in together), strict=True):
                mean = torch.stack([value.detach() for value in values]).mean(0)
                for value in values:
                    value.copy_(mean)
            for name, value in together[0].state_dict().items():
                stored[f"model.layers.{first}.{name}"] = value.to(torch.bfloat16).contiguous()
    return model, stored


def _outside(model: Any) -> dict[str, torch.Tensor]:
    """Embeddings, norms and output, in bfloat16."""
    inside = {f"{name}.weight" for name in linear_layers(model)}
    tied = model.config.tie_word_embeddings
    return {
        name: value.to(torch.bfloat16).contiguous() for name, value in model.state_dict().items()
        if name not in inside and not (tied and name == "lm_head.weight")
    }  # fmt: skip
