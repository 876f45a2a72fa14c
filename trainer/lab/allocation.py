"""Who is weak where, and what that makes of the next round's budget: more documents for cells that the student knows less.

Three signals of a cell, each over held-out documents of it: the loss, the uncertainty (mean entropy of the predictions),
and how far students of different seeds disagree about a document. A share of the budget is spread evenly whatever they
say, so that no cell is ever forgotten and a wrong signal costs a part only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Signal = Literal["loss", "uncertainty", "disagreement"]
SIGNALS: dict[str, Signal] = {"loss": "loss", "uncertainty": "uncertainty", "disagreement": "disagreement"}
EVEN = 0.4  # share of the budget that is spread evenly


@dataclass(frozen=True, slots=True)
class Weakness:
    """Of one cell, in bits per byte (`uncertainty`: bits per byte too, by the predictions' entropy)."""

    loss: float
    uncertainty: float
    disagreement: float


def weakness(bits: Sequence[Sequence[float]], entropy: Sequence[float]) -> Weakness:
    """`bits` has a row a student and a column a document of the cell, `entropy` a number a student."""
    each = np.asarray(bits, float)
    spread = float(each.std(axis=0, ddof=1).mean()) if len(each) > 1 else 0.0
    return Weakness(float(each.mean()), float(np.mean(entropy)), spread)


def allocate(found: Mapping[str, Weakness], documents: int, signal: Signal, even: float = EVEN) -> dict[str, int]:
    """Documents by cell, `documents` in all: `even` of them spread evenly, the rest by how far a cell's signal is above
    the lowest one. Largest remainders decide about single documents, ties by name."""
    names = sorted(found)
    values = np.array([getattr(found[name], signal) for name in names], float)
    above = values - values.min()
    shares = above / above.sum() if above.sum() > 0 else np.full(len(names), 1 / len(names))
    exact = documents * (even / len(names) + (1 - even) * shares)
    whole = [math.floor(value) for value in exact]
    order = sorted(range(len(names)), key=lambda at: (whole[at] - exact[at], names[at]))
    for at in order[: documents - sum(whole)]:
        whole[at] += 1
    return dict(zip(names, whole, strict=True))
