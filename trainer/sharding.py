"""Weights, gradients and optimizer states in parts over the members of a team (FSDP2), for models that fit in no one of them.

Each block is gathered when it is its turn and dropped after it; embeddings, output and the last norm are gathered for the
whole of a forward and backward pass, since the loss multiplies by the output matrix itself. What is saved and exported is
whole, so that any number of members, and one alone, goes on from it (Zhao et al. 2023, "PyTorch FSDP", arXiv 2304.11277; `torch.distributed.fsdp.fully_shard`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch.distributed.tensor import DTensor, distribute_tensor

from trainer.loss import StudentLoss


def shard(loss: StudentLoss, members: int, device: torch.device) -> None:
    """Shard the model of `loss` in place, before optimizers are made for it."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(device.type, (members,))
    for block in blocks_of(loss.model):
        fully_shard(block, mesh=mesh)
    fully_shard(loss, mesh=mesh)


def blocks_of(model: Any) -> Iterable[torch.nn.Module]:
    """The blocks of any model of transformers: its longest list of modules."""
    return max((item for item in model.modules() if isinstance(item, torch.nn.ModuleList)), key=len, default=[])


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """The parts of all members put together; every member has to ask for it."""
    found = tensor.detach()
    return found.full_tensor() if isinstance(found, DTensor) else found


def like(parameter: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """This member's part of a whole tensor, where `parameter` is in parts and of the same shape."""
    if isinstance(parameter, DTensor) and value.shape == parameter.shape:
        value = value.to(parameter.device)
        return distribute_tensor(value, parameter.device_mesh, parameter.placements, src_data_rank=None)
    return value
