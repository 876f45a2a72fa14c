"""The processes that share a training step. One alone needs no torch.distributed; more are started by whoever calls.

`ray_jobs` starts them through Ray Train; `torchrun` and tests do as well. What a step computes depends on the seed and
its number alone: every member draws the whole step's plan and takes its own windows of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.distributed as dist


@dataclass(frozen=True, slots=True)
class Team:
    """Member `rank` of `size`."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this member writes checkpoints and results."""
        return self.rank == 0

    def share(self, windows: int) -> slice:
        """The windows of a step that this member reads."""
        each = windows // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """The sum over all members."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def agreed(self, flag: bool, device: torch.device) -> bool:
        """Whether any member says so; all of them get the same answer."""
        return bool(self.total(torch.tensor(float(flag), device=device)) > 0) if self.size > 1 else flag

    def wait(self) -> None:
        """Until all members are here."""
        if self.size > 1:
            dist.barrier()


def current_team() -> Team:
    """The members of the process group that was initialised before, or one alone."""
    if dist.is_available() and dist.is_initialized():
        return Team(dist.get_rank(), dist.get_world_size())
    return Team()
