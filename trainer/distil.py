"""What soft labels do to the loss: (1 − α) · cross-entropy + α · τ² · divergence, and its gradient, a rule of `loss`.

Sparse targets give the student's distribution p the gradient m · p − q, where q has a few entries of total m, so they
cost hardly more than a hard label. With q the teacher's whole distribution in expectation (tokens drawn from it, or the
likeliest exactly and the drawn one where it is none of them) the expected gradient is that of the whole distribution:
Anshumann et al. 2025, "Sparse logit sampling" (arXiv 2503.16870). The likeliest entries alone, scaled to sum to one, are
biased. With one bucket for all others the divergence is over k + 1 outcomes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from trainer.distil_config import DistilConfig

SMALLEST = 1e-6  # of the student's mass in the bucket: below it one minus a sum has no digits left


@dataclass(frozen=True, slots=True)
class Entries:
    """Sparse targets of n tokens: `ids` int64 [n, k] and their weights float32 [n, k], 0 where there is none.

    `bucket` [n] is the mass of all other tokens, if they are one outcome. `share` [n] is α, 0 where nothing is labelled.
    """

    ids: torch.Tensor
    weights: torch.Tensor
    bucket: torch.Tensor | None
    share: torch.Tensor

    def rows(self, rows: slice | torch.Tensor) -> Entries:
        """Some of the tokens."""
        bucket = None if self.bucket is None else self.bucket[rows]
        return Entries(self.ids[rows], self.weights[rows], bucket, self.share[rows])


def entries_of(ids: torch.Tensor, logs: torch.Tensor, targets: torch.Tensor, config: DistilConfig) -> Entries:
    """Targets from cached labels: `ids` int64 and `logs` float32 [n, k], −∞ where there is none; `targets` int64 [n].

    The last of k entries is left out except of drawn ones: vLLM puts the text's own token there when it is not among
    the likeliest, and whether an entry counts must not depend on what was drawn.
    """
    if config.targets != "sampled":
        keep = min(config.entries or ids.shape[1], max(1, ids.shape[1] - 1))
        ids, logs = ids[:, :keep], logs[:, :keep]
    weights, labelled = logs.exp(), logs.isfinite().any(1)
    bucket = None
    if config.targets == "topk":
        weights = torch.softmax(logs / config.temperature, 1)
    elif config.targets == "sampled":
        weights = weights / weights.sum(1, keepdim=True)
    elif config.targets == "tail":
        bucket = (1 - weights.sum(1)).clamp(min=0.0)
    elif config.targets == "unbiased":
        outside = ((ids != targets[:, None]) | (weights == 0)).all(1)
        ids = torch.cat([ids, targets[:, None]], 1)
        weights = torch.cat([weights, outside.float()[:, None]], 1)
    weights = torch.where(labelled[:, None], weights, 0.0)
    return Entries(ids, weights, bucket, config.alpha * labelled.float())


class Soft:
    """Cross-entropy with `targets` [n] and divergence from sparse entries."""

    def __init__(self, targets: torch.Tensor, entries: Entries, config: DistilConfig) -> None:
        self._targets, self._entries, self._config = targets, entries, config

    def __call__(self, logits: torch.Tensor, rows: slice) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Loss and gradient of these tokens."""
        targets, entries = self._targets[rows], self._entries.rows(rows)
        if self._config.loss != "forward":
            compare = divergence_of(self._config.loss)
            return by_autograd(logits, targets, entries.share, lambda logs: compare(*_outcomes(logs, entries)))
        if self._config.temperature != 1:
            return _flattened(logits, targets, entries, self._config.temperature)
        return _sparse(logits, targets, entries)


class Dense:
    """Cross-entropy with `targets` [n] and divergence from whole distributions, which `teacher` gives for rows."""

    def __init__(
        self, targets: torch.Tensor, teacher: Callable[[slice], torch.Tensor], share: torch.Tensor, config: DistilConfig
    ) -> None:
        """`teacher(rows)`: its logits in the student's vocabulary, float32 [rows, V], −∞ for what it lacks."""
        self._targets, self._teacher, self._share, self._config = targets, teacher, share, config

    def __call__(self, logits: torch.Tensor, rows: slice) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Loss and gradient of these tokens."""
        compare, heat = divergence_of(self._config.loss), self._config.temperature
        theirs = torch.log_softmax(self._teacher(rows) / heat, 1)
        return by_autograd(
            logits, self._targets[rows], self._share[rows],
            lambda logs: heat**2 * compare(theirs, torch.log_softmax(logs / heat, 1)),
        )  # fmt: skip


def divergence_of(kind: str) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """From log-probabilities of teacher and student, [n, outcomes], to nats, [n]."""
    return {"forward": _kl, "reverse": lambda theirs, ours: _kl(ours, theirs), "js": _js}[kind]


def by_autograd(
    logits: torch.Tensor, targets: torch.Tensor, share: torch.Tensor, soft: Callable[[torch.Tensor], torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Loss and gradient where `soft` maps the student's log-probabilities [n, V] to divergences [n]."""
    with torch.enable_grad():
        given = logits.detach().float().requires_grad_()
        logs = torch.log_softmax(given, 1)
        hard, apart = -logs.gather(1, targets[:, None])[:, 0], soft(logs)
        total = ((1 - share) * hard + share * apart).sum()
        (grad,) = torch.autograd.grad(total, given)
    return total.detach(), torch.stack([hard.detach(), apart.detach()]), grad


def _sparse(
    logits: torch.Tensor, targets: torch.Tensor, entries: Entries
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Forward divergence at temperature 1, with the gradient by hand: no second pass over the vocabulary."""
    logs = torch.log_softmax(logits, -1, dtype=torch.float32)
    share, weights = entries.share, entries.weights
    hard = -logs.gather(1, targets[:, None])[:, 0]
    picked = logs.gather(1, entries.ids)
    soft = (torch.xlogy(weights, weights) - weights * picked).sum(1)
    mass, pull = weights.sum(1), weights
    if entries.bucket is not None:
        inside = picked.exp() * (weights > 0)
        outside = (1 - inside.sum(1)).clamp(min=SMALLEST)
        ratio = entries.bucket / outside
        soft = soft + torch.xlogy(entries.bucket, entries.bucket) - entries.bucket * outside.log()
        mass, pull = 1 - ratio, weights - ratio[:, None] * inside
    total = ((1 - share) * hard + share * soft).sum()
    grad = logs.exp_().mul_(((1 - share) + share * mass)[:, None])
    grad.scatter_add_(1, targets[:, None], -(1 - share)[:, None])
    grad.scatter_add_(1, entries.ids, -share[:, None] * pull)
    return total, torch.stack([hard, soft * (share > 0)]), grad


def _flattened(
    logits: torch.Tensor, targets: torch.Tensor, entries: Entries, heat: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Entries that sum to one at temperature `heat` against all of the student's mass at the same temperature."""

    def soft(logs: torch.Tensor) -> torch.Tensor:
        ours = torch.log_softmax(logs / heat, 1).gather(1, entries.ids)
        return heat**2 * (torch.xlogy(entries.weights, entries.weights) - entries.weights * ours).sum(1)

    return by_autograd(logits, targets, entries.share, soft)


def _outcomes(logs: torch.Tensor, entries: Entries) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities of teacher and student over the entries and the bucket, [n, k + 1]."""
    assert entries.bucket is not None, "the configuration allows no other"
    there = entries.weights > 0
    ours = torch.where(there, logs.gather(1, entries.ids), -torch.inf)
    outside = (1 - torch.where(there, ours.exp(), 0.0).sum(1, keepdim=True)).clamp(min=SMALLEST)
    theirs = torch.cat([entries.weights, entries.bucket.clamp(min=SMALLEST)[:, None]], 1).log()
    return theirs, torch.cat([ours, outside.log()], 1)


def _kl(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Σ p (log p − log q) over what p holds; where q holds nothing of it, as far away as float16 can tell."""
    held = left.isfinite()
    apart = torch.where(held, left, 0.0) - torch.where(held, right.clamp(min=-30.0), 0.0)
    return (torch.where(held, left, -torch.inf).exp() * apart).sum(1)


def _js(theirs: torch.Tensor, ours: torch.Tensor) -> torch.Tensor:
    middle = torch.logaddexp(theirs, ours) - torch.log(torch.tensor(2.0))
    return (_kl(theirs, middle) + _kl(ours, middle)) / 2
