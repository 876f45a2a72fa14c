"""The loss of a student without a tensor of all logits: a few hundred tokens at a time, their gradient at once.

Logits are the peak of a training step's memory (tokens × vocabulary, several copies in float32). So the output matrix is
applied to some tokens, the loss and its gradient are formed, the gradient is pushed through the matrix, and the logits
are dropped before the next tokens come (Wijmans et al. 2024, "Cut your losses in large-vocabulary language models";
nothing is computed twice). A rule turns logits into loss and gradient: cross-entropy here, soft labels in `distil`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch

from trainer.batches import IGNORED

# Numbers of float32 in the logits that exist at once: what stays in a CPU's cache, and what keeps a GPU busy.
AT_ONCE = {"cpu": 1 << 20}  # any other device: 2**27


class Rule(Protocol):
    """Logits [n, V] of the tokens `rows` to what is minimised, its parts token by token, in nats, and its gradient."""

    def __call__(self, logits: torch.Tensor, rows: slice) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Total (scalar), (cross-entropy, divergence) [2, n], gradient [n, V]."""
        ...


class Hard:
    """Cross-entropy with `targets` [n], none of them ignored."""

    def __init__(self, targets: torch.Tensor, compute: Callable[..., Any] | None = None) -> None:
        """`compute`: a compiled form of `cross_entropy`."""
        self._targets, self._compute = targets, compute or cross_entropy

    def __call__(self, logits: torch.Tensor, rows: slice) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Loss and gradient of these tokens."""
        nats, grad = self._compute(logits, self._targets[rows])
        return nats.sum(), torch.stack([nats, torch.zeros_like(nats)]), grad


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Nats of each token in float32 [n], and the gradient softmax − one-hot."""
    logs = torch.log_softmax(logits, -1, dtype=torch.float32)
    picked = targets[:, None]
    nats = -logs.gather(1, picked)[:, 0]
    return nats, logs.exp_().scatter_add_(1, picked, torch.full_like(picked, -1.0, dtype=torch.float32))


def fused_cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The same for the compiler, which makes one pass of it; the gradient in the format of the logits."""
    logs = torch.log_softmax(logits.float(), -1)
    picked = torch.arange(logits.shape[1], device=logits.device) == targets[:, None]
    return -logs.gather(1, targets[:, None])[:, 0], (logs.exp() - picked.float()).to(logits.dtype)


class StudentLoss(torch.nn.Module):
    """A causal language model with its loss; wraps whole in DistributedDataParallel."""

    def __init__(self, model: Any, dtype: str, *, compiled: bool = False) -> None:
        """`dtype`: of the matrix products."""
        super().__init__()
        self.model = model
        self._dtype = dtype
        self._body: Any = getattr(model, model.base_model_prefix) if linear_head(model) else None
        self._hard: Callable[..., Any] = cross_entropy
        self._run: Any = model if self._body is None else self._body
        if compiled:
            self._run, self._hard = torch.compile(self._run), torch.compile(fused_cross_entropy)

    def forward(
        self, inputs: torch.Tensor, targets: torch.Tensor, positions: torch.Tensor | None = None,
        segments: torch.Tensor | None = None, make_rule: Callable[[torch.Tensor], Rule] | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
        """(sum to minimise, (cross-entropy, divergence) [2, n] of each target that counts), in nats. All int64 (windows, context).

        `make_rule` is given which targets count, bool [windows · context], and gives the rule for these; cross-entropy
        when not set.
        """
        counted = targets.flatten() != IGNORED
        rule = make_rule(counted) if make_rule else Hard(targets.flatten()[counted], self._hard)
        given = {"position_ids": positions, "attention_mask": apart(segments)} if segments is not None else {}
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=self._dtype == "bfloat16"):
            found = self._run(input_ids=inputs, **given)
        if self._body is None:
            return _FromLogits.apply(found.logits.flatten(0, 1)[counted], rule)  # type: ignore[no-any-return]
        hidden = found.last_hidden_state.flatten(0, 1)
        hidden = hidden if bool(counted.all()) else hidden[counted]
        weight = self.model.get_output_embeddings().weight
        return _ByChunks.apply(hidden, weight, rule, getattr(torch, self._dtype))  # type: ignore[no-any-return]


class _ByChunks(torch.autograd.Function):
    """Output matrix and rule, some tokens at a time."""

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, rule: Rule, dtype: torch.dtype) -> Any:
        cast, table = hidden.to(dtype), weight.to(dtype)
        back, moved = torch.empty_like(cast), torch.zeros_like(weight)
        total, parts = hidden.new_zeros(()).float(), hidden.new_empty((2, len(cast)), dtype=torch.float32)
        size = max(64, AT_ONCE.get(hidden.device.type, 1 << 27) // weight.shape[0])
        for start in range(0, len(cast), size):
            rows = slice(start, start + size)
            loss, both, grad = rule(cast[rows] @ table.T, rows)
            total += loss
            parts[:, rows] = both
            grad = grad.to(dtype)
            torch.mm(grad, table, out=back[rows])
            moved += grad.T @ cast[rows]
        ctx.save_for_backward(back, moved)
        ctx.kind = hidden.dtype
        ctx.mark_non_differentiable(parts)
        return total, parts

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor, _: torch.Tensor) -> Any:  # type: ignore[override]
        back, moved = ctx.saved_tensors
        return back.to(ctx.kind) * grad, moved * grad, None, None


class _FromLogits(torch.autograd.Function):
    """A rule on logits that a model of another kind has made whole (soft-capped, scaled, with a bias)."""

    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, rule: Rule) -> Any:
        total, parts, grad = rule(logits.detach(), slice(0, len(logits)))
        ctx.save_for_backward(grad)
        ctx.kind = logits.dtype
        ctx.mark_non_differentiable(parts)
        return total, parts

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor, _: torch.Tensor) -> Any:  # type: ignore[override]
        return (ctx.saved_tensors[0] * grad).to(ctx.kind), None


@torch.no_grad()
def linear_head(model: Any) -> bool:
    """Whether the logits are the output matrix times the last hidden state and nothing else, found by trying it."""
    body, head = getattr(model, model.base_model_prefix, None), model.get_output_embeddings()
    if body is None or body is model or head is None or getattr(head, "bias", None) is not None:
        return False
    probe = torch.arange(8, device=head.weight.device)[None] % head.weight.shape[0]
    hidden = body(input_ids=probe, use_cache=False).last_hidden_state
    whole = model(input_ids=probe, use_cache=False).logits
    return bool(torch.allclose(hidden @ head.weight.T, whole, rtol=1e-4, atol=1e-4))


def apart(segments: torch.Tensor | None) -> torch.Tensor | None:
    """Who may see whom: earlier tokens of the same document; bool (windows, 1, context, context)."""
    if segments is None:
        return None
    same = segments[:, :, None] == segments[:, None, :]
    return same.tril()[:, None]
