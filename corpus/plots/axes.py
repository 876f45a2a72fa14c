"""Scales and round ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values `low..high` to places `start..end`; logarithmic when asked (both ends above zero then)."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = (
            (math.log10(item) for item in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        )
        part = (at - low) / (high - low) if high != low else 0.5
        return self.start + part * (self.end - self.start)

    def ticks(self, count: int = 5) -> list[float]:
        """About `count` round values inside the scale."""
        return _powers(self.low, self.high) if self.log else round_ticks(self.low, self.high, count)


def round_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten within `low..high`."""
    if not high > low:
        return [low]
    rough = (high - low) / max(count, 1)
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= rough * 0.7)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def span(values: Iterable[float], *, zero: bool = False) -> tuple[float, float]:
    """Lowest and highest finite value, never equal; from zero when asked; 0 to 1 when there is none."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    low = min(low, 0.0) if zero else low
    if low == high:
        half = abs(high) * 0.1 or 0.5
        return (low, high + half) if zero else (low - half, high + half)
    return low, high


def _powers(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic scale: 1, 2 and 5 times powers of ten; round steps where the range is under a decade."""
    if high / low < 5:
        return round_ticks(low, high)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    units = (1, 2, 5) if high / low < 1000 else (1,)
    return [10.0**power * unit for power in powers for unit in units if low <= 10.0**power * unit <= high]
