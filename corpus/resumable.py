"""A pass that can be killed: what it makes of each item is a committed partition, and such an item is not worked on again.

For work that is large and can be made anew, such as the spill of a sort. There is no manifest: a file under its name is
whole, because it got the name last, and the name carries a part of its checksum.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pyarrow as pa
import xxhash

from corpus.errors import StateError
from corpus.ids import canonical
from corpus.local_store import Forgetful, LocalStore
from corpus.shards import Partition, committed_partition, write_partition
from corpus.store import Store

PLAN = "plan.json"
Item = TypeVar("Item")
Record = dict[str, Any]
Run = Callable[..., Iterable[Any]]  # `map`, in this process or elsewhere


def begin(store: Store, plan: object) -> None:
    """Keep what `store` holds if it was begun with the same plan, else clear it."""
    wanted = canonical(plan)
    if store.exists(PLAN) and store.read(PLAN) == wanted:
        store.sweep(older_than_s=3600)
        return
    clear(store)
    store.commit(PLAN, wanted)


@contextmanager
def folder_for(work: Store | None) -> Iterator[Store]:
    """The folder to work in, or a temporary one, in which nothing is made durable, for work that is not to be resumed."""
    if work is not None:
        yield work
        return
    with tempfile.TemporaryDirectory(prefix="hornbook-work-") as folder:
        yield LocalStore(Path(folder), Forgetful())


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


def recorded(
    store: Store, kind: str, work: Callable[[Item], Record], items: Sequence[Item], run: Run = map
) -> Iterator[Record]:
    """What `work` makes of each item, in their order: read where it was committed before, else made by `run` and committed.

    A record is a plain JSON value. An item is taken to be done when its record is there, so `work` commits what else it
    makes before it returns.
    """
    there = {partition_index(name): name for name in store.names(f"{kind}/")}
    left = ((index, item) for index, item in enumerate(items) if index not in there)
    made = iter(run(partial(_keep, store=store, kind=kind, work=work), left))
    for index in range(len(items)):
        yield _record(store, there[index]) if index in there else next(made)


def _keep(task: tuple[int, Item], store: Store, kind: str, work: Callable[[Item], Record]) -> Record:
    index, item = task
    data = orjson.dumps(work(item))
    store.commit(f"{kind}/{index:05d}-{_short(data)}.json", data)
    made: Record = orjson.loads(data)  # the same, whether it was there before or not
    return made


def _record(store: Store, name: str) -> Record:
    data = store.read(name)
    if not name.endswith(f"-{_short(data)}.json"):
        raise StateError(f"{store.url}/{name}: its bytes are not the committed ones", hint="delete it")
    found: Record = orjson.loads(data)
    return found


def _short(data: bytes) -> str:
    return xxhash.xxh3_128_hexdigest(data)[:12]


def partition_index(name: str) -> int:
    """The number of the item that a partition was made of."""
    return int(name.rpartition("/")[2].partition("-")[0])
