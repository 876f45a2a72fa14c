"""A pilot's slots, and what they say of all others: sampling in proportion to form × domain × language.

Sums over slots that were not asked yet are estimated by stratum, with a prediction interval (Cochran, Sampling
Techniques, 3rd ed., §5.3 to 5.5). Strata with fewer than two sampled slots are joined with their neighbours, which
widens the interval rather than hiding what is not known.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corpus.ids import digest
from generator.plan import Slot

Z_975 = 1.959964  # 97.5 % point of the normal distribution
Stratum = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A sum with its 95 % interval; `high - low` says how much the pilot left open."""

    value: float
    low: float
    high: float

    def plus(self, known: float) -> Estimate:
        """With a part that is known already."""
        return Estimate(self.value + known, self.low + known, self.high + known)

    def times(self, factor: float) -> Estimate:
        """In another unit."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


def stratum_of(slot: Slot) -> Stratum:
    """What a pilot is balanced over."""
    return slot.cell.language, slot.cell.form, slot.cell.domain


def pilot_slots(slots: Sequence[Slot], count: int, seed: int) -> list[Slot]:
    """`count` slots in the plan's order, each stratum in proportion to its size, drawn by `seed` within it."""
    groups: defaultdict[Stratum, list[Slot]] = defaultdict(list)
    for slot in slots:
        groups[stratum_of(slot)].append(slot)
    shares = _shares({key: len(group) for key, group in groups.items()}, min(count, len(slots)), seed)
    chosen = {
        slot.id
        for key, group in groups.items()
        for slot in sorted(group, key=lambda item: digest("pilot", seed, item.id))[: shares[key]]
    }
    return [slot for slot in slots if slot.id in chosen]


def _shares(sizes: Mapping[Stratum, int], count: int, seed: int) -> dict[Stratum, int]:
    """Largest remainders; ties by `seed`, so that no stratum is always the one left out."""
    total = sum(sizes.values())
    exact = {key: count * size / total for key, size in sizes.items()}
    shares = {key: int(value) for key, value in exact.items()}
    by_rest = sorted(exact, key=lambda key: (shares[key] - exact[key], digest("share", seed, *key)))
    for key in by_rest[: count - sum(shares.values())]:
        shares[key] += 1
    return shares


def rest_of(values: Mapping[str, float], sampled: Sequence[Slot], left: Sequence[Slot]) -> Estimate:
    """The sum of a quantity over `left`, from its `values` (by slot id) over `sampled`."""
    groups = _joined(sampled, left)
    total = sum(size * statistics.fmean(values[name] for name in names) for names, size in groups if size)
    variance = sum(
        size**2 * statistics.variance([values[name] for name in names]) * (1 / len(names) + 1 / size)
        for names, size in groups
        if size and len(names) > 1
    )
    freedom = sum(len(names) - 1 for names, _ in groups)
    reach = student_975(max(1, freedom)) * math.sqrt(variance)
    return Estimate(total, max(0.0, total - reach), total + reach)


def _joined(sampled: Sequence[Slot], left: Sequence[Slot]) -> list[tuple[list[str], int]]:
    """(sampled slot ids, slots left) of groups of neighbouring strata, each with two sampled slots or more."""
    sizes = Counter(stratum_of(slot) for slot in left)
    names: defaultdict[Stratum, list[str]] = defaultdict(list)
    for slot in sampled:
        names[stratum_of(slot)].append(slot.id)
    groups: list[tuple[list[str], int]] = []
    held: list[str] = []
    waiting = 0
    for key in sorted(sizes.keys() | names.keys()):
        held, waiting = held + names[key], waiting + sizes[key]
        if len(held) > 1:
            groups.append((held, waiting))
            held, waiting = [], 0
    if groups and (held or waiting):
        before, size = groups.pop()
        return [*groups, (before + held, size + waiting)]
    return groups or [(held, waiting)]


def student_975(freedom: int) -> float:
    """97.5 % point of Student's t (Abramowitz & Stegun 26.7.5; within 1 % from 3 degrees of freedom)."""
    z = Z_975
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))
