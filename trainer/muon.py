"""Muon (Jordan 2024): momentum whose update is made orthogonal by Newton-Schulz steps, for matrices inside the blocks.

`torch.optim.Muon` computes the steps in bfloat16 always. Where that is emulated it takes 20 times as long as the rest of
the training step (measured on x86 without AVX-512), so this one takes the number format as an argument; in bfloat16 it
gives the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch

from trainer.sharding import like, whole

COEFFICIENTS = (3.4445, -4.775, 2.0315)  # the quintic of the reference implementation: steepest at zero
STEPS, MOMENTUM, EPSILON = 5, 0.95, 1e-7


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, then orthogonal; `weight_decay` is decoupled. Takes two-dimensional parameters only.

    A matrix in parts is put together for it, and every member of the team computes the whole update.
    """

    def __init__(
        self, params: Iterable[torch.nn.Parameter], *, lr: float, weight_decay: float, dtype: torch.dtype
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})
        self._dtype = dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)

    def _update(self, parameter: torch.nn.Parameter, group: dict[str, Any]) -> None:
        grad, state = parameter.grad, self.state[parameter]
        assert grad is not None
        momentum = state.setdefault("momentum_buffer", torch.zeros_like(grad))
        momentum.lerp_(grad, 1 - MOMENTUM)
        update = like(parameter, orthogonal(whole(grad.lerp(momentum, MOMENTUM)), self._dtype).to(parameter.dtype))
        rows, columns = parameter.shape
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(update, alpha=-group["lr"] * math.sqrt(max(1, rows / columns)))


def orthogonal(matrix: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The matrix with its singular values near one (between about .7 and 1.2), computed in `dtype`."""
    a, b, c = COEFFICIENTS
    tall = matrix.size(0) > matrix.size(1)
    found = matrix.to(dtype, copy=True)
    found = found.T if tall else found
    found.div_(found.norm().clamp(min=EPSILON))
    for _ in range(STEPS):
        gram = found @ found.T
        found = torch.addmm(found, torch.addmm(gram, gram, gram, beta=b, alpha=c), found, beta=a)
    return found.T if tall else found
