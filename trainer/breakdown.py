"""The loss of a run by source and by language, over time: what a blend's parts cost, and which are still being learned.

Each document has one code, the pair of its source and its language, so a step adds its tokens' losses up by one index.
Sources beyond the twelve with the most tokens are one, `other`. A point is the mean over all tokens that a group had since
the point before, so that sparse groups are as smooth as their tokens allow. Where a corpus is all of one kind nothing is
added up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from trainer.batches import IGNORED
from trainer.packing import TokenShards

MOST, OTHER = 12, "other"
Points = dict[str, dict[str, list[list[float]]]]  # axis, name, [tokens read by the run, nats a token]


class Codes:
    """The code of each document, and which group of each axis a code is in."""

    def __init__(self, corpus: TokenShards) -> None:
        offsets = np.asarray(corpus.offsets)
        self._ends, self.axes = offsets, dict[str, tuple[list[str], np.ndarray]]()
        columns = {axis: _fewer(*found, np.diff(offsets)) for axis, found in corpus.groups.items()}
        columns = {axis: (names, index) for axis, (names, index) in columns.items() if len(names) > 1}
        self.count = 0
        if columns:
            pairs, self._of = np.unique(
                np.stack([index for _, index in columns.values()], 1), axis=0, return_inverse=True
            )
            self._of, self.count = self._of.ravel(), len(pairs)
            self.axes = {axis: (names, pairs[:, place]) for place, (axis, (names, _)) in enumerate(columns.items())}

    def at(self, places: np.ndarray) -> np.ndarray:
        """Codes of targets by their place in the stream, int64; `count` where a target is not of the corpus."""
        found = self._of[np.searchsorted(self._ends, places, side="right") - 1]
        return np.where(places < 0, self.count, found)

    def add(self, targets: np.ndarray, places: np.ndarray, nats: torch.Tensor, sums: torch.Tensor) -> None:
        """Add the nats [n] of the targets that count to `sums`, and how many they are; float64 [2, count + 1]."""
        codes = torch.from_numpy(self.at(places[targets != IGNORED])).to(nats.device)
        sums.index_add_(1, codes, torch.stack([nats, torch.ones_like(nats)]).double())


class Breakdown:
    """What was added up, and the points that came of it."""

    def __init__(self, codes: Codes) -> None:
        self._codes = codes
        self._sums = np.zeros((2, codes.count))
        self.points: Points = {axis: {name: [] for name in names} for axis, (names, _) in codes.axes.items()}

    def add(self, sums: np.ndarray) -> None:
        """A step's nats and tokens by code, [2, codes]."""
        self._sums += sums

    def point(self, tokens: int) -> dict[str, float]:
        """Close an interval at `tokens` read: nats a token by `axis/name`, of the groups that had any."""
        found = {}
        for axis, (names, group) in self._codes.axes.items():
            nats, counted = (np.bincount(group, row, len(names)) for row in self._sums)
            for name, total, count in zip(names, nats.tolist(), counted.tolist(), strict=True):
                if count:
                    found[f"{axis}/{name}"] = total / count
                    self.points[axis][name].append([tokens, total / count])
        self._sums[:] = 0
        return found

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"points": self.points, "sums": self._sums.tolist()}

    def restore(self, state: dict[str, Any] | None) -> None:
        """Go on from a checkpoint of the same corpus; from nothing where it kept none."""
        if state:
            self.points, self._sums = state["points"], np.array(state["sums"]).reshape(self._sums.shape)


def _fewer(names: list[str], index: np.ndarray, tokens: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The same groups, those with the fewest tokens as one where there are more than `MOST`."""
    if len(names) <= MOST + 1:
        return names, index.astype(np.int64)
    kept = np.sort(np.argsort(-np.bincount(index, tokens, len(names)), kind="stable")[:MOST])
    new = np.full(len(names), MOST)
    new[kept] = np.arange(MOST)
    return [*(names[place] for place in kept), OTHER], new[index]
