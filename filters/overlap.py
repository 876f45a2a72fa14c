"""What each filter alone would remove, what only it removes, and with which other it agrees most.

A verdict names the first reason; the others are lost there. They are kept here, so that it is seen which rule does the
work, which one could go, and which two say the same. Counts add up over shards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

COLUMNS = ("filter", "alone would remove", "share", "is the reason of", "only it removes", "shares most with")


@dataclass(frozen=True)
class Overlap:
    """Counts of documents by reason."""

    documents: int = 0
    removed: int = 0  # by any reason
    both: Counter[tuple[str, str]] = field(default_factory=Counter)  # fail both; the same twice: fail it at all
    first: Counter[str] = field(default_factory=Counter)  # have it as the reason of their verdict
    only: Counter[str] = field(default_factory=Counter)  # fail nothing else

    def __add__(self, other: Overlap) -> Overlap:
        return Overlap(self.documents + other.documents, self.removed + other.removed, self.both + other.both,
                       self.first + other.first, self.only + other.only)  # fmt: skip

    def rows(self) -> list[list[object]]:
        """One row a reason, in the order of `COLUMNS`, those that remove most first."""
        alone = {name: count for (name, other), count in self.both.items() if name == other}
        order = sorted(alone, key=lambda name: (-alone[name], name))
        return [
            [name, alone[name], round(alone[name] / max(1, self.documents), 4), self.first[name], self.only[name],
             self._nearest(name)]
            for name in order
        ]  # fmt: skip

    def _nearest(self, name: str) -> str:
        shared = [(count, other) for (one, other), count in self.both.items() if one == name != other]
        count, other = min(shared, key=lambda item: (-item[0], item[1]), default=(0, ""))
        return f"{other} ({count:,})" if count else ""


def overlap_of(failures: Mapping[str, np.ndarray], first: Iterable[str], documents: int) -> Overlap:
    """From who fails which reason (bool, one a document), and the reason of each verdict ("" where it is kept)."""
    names = list(failures)
    flags = np.array([failures[name] for name in names], dtype=np.float32).reshape(len(names), documents)
    shared = flags @ flags.T
    alone = flags[:, flags.sum(axis=0) == 1].sum(axis=1)
    both = {(a, b): int(shared[i, j]) for i, a in enumerate(names) for j, b in enumerate(names) if shared[i, j]}
    return Overlap(
        documents=documents,
        removed=int(flags.any(axis=0).sum()),
        both=Counter(both),
        first=Counter(reason for reason in first if reason),
        only=Counter({name: int(count) for name, count in zip(names, alone, strict=True) if count}),
    )


def told(overlap: Overlap) -> list[str]:
    """Lines of text: the table, and what all of it comes to."""
    if not overlap.removed:
        return []
    rows = [
        list(COLUMNS),
        *([str(cell) if isinstance(cell, str) else f"{cell:,}" for cell in row] for row in overlap.rows()),
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) if place in (0, 5) else cell.rjust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip() for row in rows]  # fmt: skip
    return [*lines, f"together {overlap.removed:,} of {overlap.documents:,}"]
