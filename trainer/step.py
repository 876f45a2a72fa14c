"""One optimizer step: read the step's windows, forward and backward in parts, clip, update.

Sums are divided by the number of targets that count in the whole step, over all members and parts, so that neither the
size of a part nor padding moves the weight of a token.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from corpus.errors import StateError
from trainer.batches import Batch, Plan, Stream, gather
from trainer.breakdown import Codes
from trainer.config import StudentConfig
from trainer.fitting import Documents
from trainer.loss import Rule, StudentLoss
from trainer.optimizers import set_rates
from trainer.packing import TokenShards
from trainer.team import Team


@dataclass(frozen=True, slots=True)
class Losses:
    """Nats a counted token over one step: what was minimised, cross-entropy, and divergence from the teacher.

    `by_code`: nats and tokens of each code of the corpus's documents (see `breakdown`), [2, codes].
    """

    total: float
    hard: float
    soft: float
    by_code: np.ndarray


class Lesson(Protocol):
    """What the student learns from besides the text: makes the rule of a part of a step."""

    def reads(self, batch: Batch, step: int) -> Batch:
        """The step's batch, or another in its place (what the student itself wrote)."""
        ...

    def rule(self, part: Batch, inputs: torch.Tensor) -> Callable[[torch.Tensor], Rule]:
        """See `StudentLoss.forward`; `inputs` are the part's, on the device."""
        ...


class Stepper:
    """Everything that a step needs, on one device."""

    def __init__(
        self, config: StudentConfig, corpus: TokenShards, loss: StudentLoss, optimizers: list[torch.optim.Optimizer],
        team: Team, device: torch.device, lesson: Lesson | None = None,
    ) -> None:  # fmt: skip
        self._config, self._corpus, self._team, self._device = config, corpus, team, device
        self._optimizers, self._lesson, self._bare = optimizers, lesson, loss
        self._parted = config.parallel == "fsdp" and team.size > 1
        copied = team.size > 1 and not self._parted
        self._loss: Any = torch.nn.parallel.DistributedDataParallel(loss) if copied else loss
        self._plan = plan_of(config, corpus)
        self.codes = Codes(corpus)

    def step(self, number: int) -> Losses:
        """Do step `number`. Raises `StateError` when the loss is no number."""
        config, batch = self._config, self._batch(number)
        mine = part_of(batch, self._team.share(config.windows))
        size = (config.micro_batch_tokens or config.batch_tokens) // config.model.context
        sums = torch.zeros(3 + 2 * (self.codes.count + 1), dtype=torch.float64, device=self._device)
        starts = range(0, len(mine.inputs), size)
        for start in starts:
            with self._quietly(start == starts[-1]):
                self._backward(part_of(mine, slice(start, start + size)), max(1, batch.counted), sums)
        self._update(number)
        found = self._team.total(sums).cpu().numpy()
        total, hard, soft = (found[:3] / max(1, batch.counted)).tolist()
        if not total < float("inf"):
            raise StateError(f"the loss is {total} at step {number}", hint="lower the rates in student.optimizer")
        return Losses(total, hard, soft, found[3:].reshape(2, -1)[:, :-1])

    def _batch(self, number: int) -> Batch:
        places = self._plan.places(self._config.seed, number, self._config.windows)
        batch = gather(self._corpus, places, masked=self._config.masked)
        return self._lesson.reads(batch, number) if self._lesson else batch

    def _backward(self, part: Batch, counted: int, sums: torch.Tensor) -> None:
        inputs, targets, positions, segments = (self._tensor(item) for item in (
            part.inputs, part.targets, part.positions, part.segments))  # fmt: skip
        assert inputs is not None
        rule = self._lesson.rule(part, inputs) if self._lesson else None
        total, parts = self._loss(inputs, targets, positions, segments, rule)
        # Both ways to share a step take the mean over members of what is to be a sum.
        (total * (self._team.size / counted)).backward()
        sums[:3] += torch.cat([total.detach()[None], parts.sum(1)])
        if self.codes.count:
            self.codes.add(part.targets, part.places.targets, parts[0], sums[3:].view(2, -1))

    def _update(self, number: int) -> None:
        set_rates(self._optimizers, number, self._config)
        torch.nn.utils.clip_grad_norm_(self._bare.parameters(), self._config.optimizer.clip)
        for optimizer in self._optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def _quietly(self, last: bool) -> contextlib.AbstractContextManager[None]:
        """Gradients travel once a step, with its last part."""
        if self._parted:
            self._loss.set_requires_gradient_sync(last)
            return contextlib.nullcontext()
        return contextlib.nullcontext() if last or self._team.size == 1 else self._loss.no_sync()

    def _tensor(self, values: np.ndarray | None) -> torch.Tensor | None:
        return None if values is None else torch.from_numpy(values).to(self._device)


def plan_of(config: StudentConfig, corpus: TokenShards) -> Plan:
    """How this recipe lays windows over this corpus."""
    if config.whole_documents:
        return Documents(corpus.offsets, config.model.context, given=config.order == "given")
    return Stream(corpus.pack["tokens"], config.model.context, given=config.order == "given")


def part_of(batch: Batch, rows: slice) -> Batch:
    """Some windows of a batch."""
    places = type(batch.places)(batch.places.inputs[rows], batch.places.targets[rows])
    positions, segments = (None if item is None else item[rows] for item in (batch.positions, batch.segments))
    return Batch(batch.inputs[rows], batch.targets[rows], places, positions, segments)
