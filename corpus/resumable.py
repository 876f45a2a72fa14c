"""A pass that can be killed: what it makes of each item is a committed partition, and such an item is not worked on again.

For work that is large and can be made anew, such as the spill of a sort. There is no manifest: a file under its name is
whole, because it got the name last, and the name carries a part of its checksum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import pyarrow as pa

from corpus.ids import canonical
from corpus.shards import Partition, committed_partition, write_partition
from corpus.store import Store

PLAN = "plan.json"
Item = TypeVar("Item")
Run = Callable[..., Iterable[Any]]  # `map`, in this process or elsewhere


def begin(store: Store, plan: object) -> None:
    """Keep what `store` holds if it was begun with the same plan, else clear it."""
    wanted = canonical(plan)
    if store.exists(PLAN) and store.read(PLAN) == wanted:
        store.sweep(older_than_s=3600)
        return
    clear(store)
    store.commit(PLAN, wanted)


def clear(store: Store) -> None:
    """Delete all of it, the plan first: without it nothing here is trusted."""
    for name in sorted(store.names(), key=lambda name: name != PLAN):
        store.delete(name)


def resumed(
    store: Store,
    kind: str,
    work: Callable[[Item], pa.Table],
    items: Sequence[Item],
    run: Run = map,
    group_rows: int | None = None,
) -> list[Partition]:
    """One partition of `kind` for each item, in their order; `run` maps the items that have none yet."""
    there = {partition_index(name): name for name in store.names(f"{kind}/")}
    left = [(index, item) for index, item in enumerate(items) if index not in there]
    commit = partial(_commit, store=store, kind=kind, work=work, group_rows=group_rows)
    made = {item.name: item for item in run(commit, left)}
    there |= {partition_index(name): name for name in made}
    return [made.get(there[index]) or committed_partition(store, there[index]) for index in range(len(items))]


def _commit(
    task: tuple[int, Item], store: Store, kind: str, work: Callable[[Item], pa.Table], group_rows: int | None
) -> Partition:
    index, item = task
    return write_partition(store, kind, index, work(item), group_rows=group_rows, packed=False)


def partition_index(name: str) -> int:
    """The number of the item that a partition was made of."""
    return int(name.rpartition("/")[2].partition("-")[0])
