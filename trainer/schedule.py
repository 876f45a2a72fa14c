"""Warm-up, stable, decay (MiniCPM, arXiv 2404.06395, section 4) or a cosine: pure functions of the step."""

from __future__ import annotations

import math

from trainer.config import ScheduleConfig


def rate(step: int, steps: int, config: ScheduleConfig) -> float:
    """Share of the peak rate for step `step` (0-based) of `steps`: in (0, 1] at the first step, never negative.

    The decay runs over the last `decay * steps` steps and would reach `final` one step after the last, so that no
    step is spent at a rate of zero.
    """
    warmup = round(config.warmup * steps)
    decay = round(config.decay * steps)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if config.kind == "cosine":
        done = (step - warmup + 1) / (steps - warmup + 1)
        return config.final + (1.0 - config.final) * (1 + math.cos(math.pi * done)) / 2
    if step < steps - decay:
        return 1.0
    return config.final + (1.0 - config.final) * max(0, steps - step) / (decay + 1)
