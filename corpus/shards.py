"""Partitions: Parquet files that a manifest names, with a checksum that is checked on first use."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from corpus.errors import StateError
from corpus.store import Store

PARTITION = re.compile(r"^[a-z_]+/\d{5,}-[0-9a-f]{12}\.parquet$")  # names that `write_partition` gives
_verified: set[tuple[str, str]] = set()  # (place, checksum) seen whole by this process


@dataclass(frozen=True)
class Partition:
    """One committed Parquet file. `checksum` is xxh3-128 over its bytes."""

    name: str
    kind: str
    rows: int
    bytes: int
    checksum: str


def write_partition(
    store: Store, kind: str, index: int, table: pa.Table, *, group_rows: int | None = None, packed: bool = True
) -> Partition:
    """Commit `table` as KIND/INDEX-CHECKSUM.parquet. The name carries the content, so two writers cannot disagree.

    `group_rows` bounds a row group, for tables of which single rows are read again. `packed=False` leaves hashes as they
    are, which neither a dictionary nor zstd makes smaller.

    Raises `StateError` when a file of that name is there with other bytes.
    """
    sink = pa.BufferOutputStream()
    compression = "zstd" if packed else "none"
    pq.write_table(table, sink, compression=compression, use_dictionary=packed, row_group_size=group_rows)
    data = sink.getvalue().to_pybytes()
    checksum = xxhash.xxh3_128_hexdigest(data)
    name = f"{kind}/{index:05d}-{checksum[:12]}.parquet"
    partition = Partition(name, kind, table.num_rows, len(data), checksum)
    if not store.commit(name, data):
        checked_bytes(store, partition)  # left by a driver that died: the manifest may name it only if it is whole
    return partition


def committed_partition(store: Store, name: str) -> Partition:
    """A file that no manifest names yet. Raises `StateError` when its bytes are not those that its name promises."""
    data = store.read(name)
    checksum = xxhash.xxh3_128_hexdigest(data)
    if not name.endswith(f"-{checksum[:12]}.parquet"):
        raise StateError(f"{store.url}/{name}: its bytes are not the committed ones", hint="delete it")
    rows = pq.read_metadata(pa.BufferReader(data)).num_rows
    return Partition(name, name.partition("/")[0], rows, len(data), checksum)


def open_partition(store: Store, partition: Partition) -> pq.ParquetFile:
    """A partition to be read in parts; checked once a process, as a whole."""
    where = (f"{store.url}/{partition.name}", partition.checksum)
    if store.local is None or where not in _verified:
        data = checked_bytes(store, partition)
    return pq.ParquetFile(store.local / partition.name if store.local else pa.BufferReader(data))


def read_partition(store: Store, partition: Partition, columns: list[str] | None = None) -> pa.Table:
    """The rows of a partition. Raises `StateError` when it is missing or its bytes are not the committed ones."""
    data = checked_bytes(store, partition)
    return pq.read_table(pa.BufferReader(data), columns=columns)


def checked_bytes(store: Store, partition: Partition) -> bytes:
    """The bytes of a partition, checked once a process."""
    where = f"{store.url}/{partition.name}"
    try:
        data = store.read(partition.name)
    except FileNotFoundError:
        raise StateError(
            f"{where}: the manifest names this file and it is gone", hint="restore it from a copy"
        ) from None
    if (where, partition.checksum) not in _verified or len(data) != partition.bytes:
        if xxhash.xxh3_128_hexdigest(data) != partition.checksum:
            raise StateError(f"{where}: its bytes are not the committed ones", hint="restore it from a copy")
        _verified.add((where, partition.checksum))
    return data
