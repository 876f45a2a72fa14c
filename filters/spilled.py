"""Rows of spilled partitions that are sorted by their first column, read again a range at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from corpus.shards import Partition, open_partition
from corpus.store import Store


def rows_between(store: Store, spilled: Sequence[Partition], low: int, high: int) -> Iterator[pa.Table]:
    """The rows whose first column, an integer, is in [low, high); row groups outside the range are not read."""
    for item in spilled:
        if not item.rows:
            continue
        file = open_partition(store, item)
        for group in range(file.num_row_groups):
            reach = file.metadata.row_group(group).column(0).statistics
            if reach.min < high and reach.max >= low:
                table = file.read_row_group(group)
                first = table.column(0)
                yield table.filter(pc.and_(pc.greater_equal(first, low), pc.less(first, high)))
