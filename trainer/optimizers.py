"""Muon for the matrices inside the blocks, AdamW for embeddings, output matrix and norms."""

from __future__ import annotations

from typing import Any

import torch

from trainer.config import OptimizerConfig, StudentConfig
from trainer.muon import Muon
from trainer.precision import Precision
from trainer.schedule import rate


def optimizers_for(model: Any, config: OptimizerConfig, products: Precision) -> list[torch.optim.Optimizer]:
    """One or two optimizers; each group keeps its peak rate under `peak`. `products`: the format of matrix products."""
    matrices, others = split_parameters(model)
    betas = (config.beta1, config.beta2)
    if config.kind == "adamw":
        groups: list[dict[str, Any]] = [
            {"params": matrices, "weight_decay": config.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        made: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, lr=config.adamw_lr, betas=betas, fused=True)]
    else:
        made = [
            Muon(matrices, lr=config.muon_lr, weight_decay=config.muon_weight_decay, dtype=getattr(torch, products)),
            torch.optim.AdamW(others, lr=config.adamw_lr, betas=betas, weight_decay=0.0, fused=True),
        ]
    for optimizer in made:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return made


def split_parameters(model: Any) -> tuple[list[torch.nn.Parameter], list[torch.nn.Parameter]]:
    """(two-dimensional weights inside the blocks, everything else: embeddings of any kind, the output, vectors)."""
    outside = {
        id(item) for module in model.modules() if isinstance(module, torch.nn.Embedding) for item in module.parameters()
    }
    if (head := model.get_output_embeddings()) is not None:
        outside |= {id(item) for item in head.parameters()}
    matrices: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for parameter in model.parameters():
        hidden = parameter.ndim == 2 and id(parameter) not in outside
        (matrices if hidden else others).append(parameter)
    return matrices, others


def set_rates(optimizers: list[torch.optim.Optimizer], step: int, config: StudentConfig) -> None:
    """Set every group's rate for `step`."""
    share = rate(step, config.steps, config.schedule)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * share
