"""A suffix array of all texts by libdivsufsort, its common prefixes, and the pieces of 300 bytes that stand earlier.

What Lee et al. 2022 do, in memory and on the bytes as they are: 300 bytes are about fifty words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from measured import run
from pydivsufsort import divsufsort, kasai

LEAST = 300


def passages(texts: Sequence[str]) -> Any:
    """Which bytes go: all that lie in a piece that stands earlier."""
    data = np.frombuffer(bytearray("\0".join(texts).encode()), np.uint8)
    order = divsufsort(data)
    common = kasai(data, order)  # with the next suffix in order
    begins = np.flatnonzero(np.r_[True, common[:-1] < LEAST])
    first = np.repeat(np.minimum.reduceat(order, begins), np.diff(np.r_[begins, len(order)]))
    copies = order[order - first >= LEAST]
    change = np.zeros(len(data) + LEAST + 1, np.int32)
    np.add.at(change, copies, 1)
    np.add.at(change, copies + LEAST, -1)
    return {"gone": int((np.cumsum(change) > 0).sum())}


if __name__ == "__main__":
    run(passages)
