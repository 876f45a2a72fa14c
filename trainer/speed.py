"""How much arithmetic a token costs, and how much the processor can do: their ratio is the model's FLOP utilisation."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import torch

ROWS, REPEATS = 2048, 5


def flops_per_token(model: Any, context: int) -> float:
    """Forward and backward: 6 a weight of every matrix product, and 6 · layers · context · width for causal attention.

    An embedding is a look-up, not a product; tied to the output it counts once, as the output (Kaplan et al. 2020, §2.1,
    with causal attention at half of the whole square).
    """
    config = model.config
    seen = {id(model.get_input_embeddings().weight)}
    head = model.get_output_embeddings()
    weights = 0 if head is None else head.weight.numel()
    if head is not None:
        seen.add(id(head.weight))
    weights += sum(item.numel() for item in model.parameters() if item.ndim == 2 and id(item) not in seen)
    return 6.0 * weights + 6.0 * config.num_hidden_layers * context * config.hidden_size


@lru_cache(maxsize=8)
def gemm_peak(width: int, dtype: str, device: str) -> float:
    """FLOP/s of the product (2048 × width) · (width × 4 width), the best of five: what this process can reach at all.

    On one thread of a CPU by the process's own time, which others on the machine do not lengthen.
    """
    alone = device == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter
    kind = getattr(torch, dtype)
    left = torch.randn(ROWS, width, dtype=kind, device=device)
    right = torch.randn(4 * width, width, dtype=kind, device=device)
    best = float("inf")
    for _ in range(REPEATS + 1):
        _settle(device)
        begun = clock()
        torch.nn.functional.linear(left, right)
        _settle(device)
        best = min(best, clock() - begun)
    return 2.0 * ROWS * width * 4 * width / best


def _settle(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()
