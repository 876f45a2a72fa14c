"""The manifest: written last, hashes everything, and exists only when the output of a stage is complete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import xxhash
from pydantic import Field, ValidationError

from corpus.config import Section
from corpus.errors import StateError
from corpus.ids import canonical, digest
from corpus.shards import Partition, checked_bytes, read_partition
from corpus.store import Store

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1


class Balance(Section):
    """in + made + repeated = kept + rejected + unused, in documents, at every stage."""

    taken: int = 0
    made: int = 0
    repeated: int = 0
    kept: int = 0
    rejected: int = 0
    unused: int = 0

    def check(self, stage: str) -> None:
        """Raises `StateError` when a document was lost or came from nowhere."""
        before, after = self.taken + self.made + self.repeated, self.kept + self.rejected + self.unused
        if before != after:
            raise StateError(f"{stage}: {before:,} documents went in and {after:,} came out: {self.model_dump()}")


class Manifest(Section):
    """What a stage made, of what, and what it found out."""

    schema_version: int = SCHEMA_VERSION
    name: str
    version: str
    stage: str
    fingerprint: str
    config: dict[str, Any] = Field(default_factory=dict)
    inputs: dict[str, str] = Field(default_factory=dict)
    partitions: tuple[Partition, ...] = ()
    balance: Balance = Balance()
    reasons: dict[str, int] = Field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = Field(default_factory=dict)
    totals: dict[str, int] = Field(default_factory=dict)
    code: str = ""
    licences: dict[str, int] = Field(default_factory=dict)
    dataset_hash: str = ""
    seconds: float = 0.0
    created: str = ""
    generation: int = 0
    forgotten: dict[str, int] = Field(default_factory=dict)

    def of(self, kind: str) -> list[Partition]:
        """Partitions of one kind, in order."""
        return [item for item in self.partitions if item.kind == kind]


def commit_manifest(store: Store, manifest: Manifest) -> bool:
    """Commit after checking the balance; False when another writer completed the stage first."""
    manifest.balance.check(manifest.stage)
    return store.commit(MANIFEST, _sealed(orjson.loads(canonical(manifest.model_dump(mode="json")))))


def replace_manifest(store: Store, manifest: Manifest) -> None:
    """The next generation of a committed manifest, for takedowns alone: only the holder of the run's lease may."""
    manifest.balance.check(manifest.stage)
    after = manifest.model_copy(update={"generation": manifest.generation + 1})
    store.replace(MANIFEST, _sealed(orjson.loads(canonical(after.model_dump(mode="json")))))


def load_manifest(store: Store) -> Manifest | None:
    """The manifest, or None when the stage is not complete. Raises `StateError` when a single byte of it was changed."""
    try:
        data = store.read(MANIFEST)
    except FileNotFoundError:
        return None
    where = f"{store.url}/{MANIFEST}"
    try:
        body = orjson.loads(data)["manifest"]
        if _sealed(body) != data:
            raise StateError(f"{where}: its checksum does not fit its content", hint="restore it from a copy")
        if body.get("schema_version", SCHEMA_VERSION) > SCHEMA_VERSION:
            raise StateError(
                f"{where}: of schema version {body['schema_version']}; this Hornbook reads up to {SCHEMA_VERSION}",
                hint="use the version that wrote it, or a newer one",
            )
        return Manifest.model_validate(body)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValidationError) as error:
        raise StateError(f"{where}: not a manifest: {error}", hint="restore it from a copy") from None


def _sealed(body: Any) -> bytes:
    """The one byte form of a manifest, its checksum before it."""
    return orjson.dumps({"checksum": digest(body), "manifest": body}, option=orjson.OPT_INDENT_2)


def verify_stage(store: Store) -> list[str]:
    """Everything that is wrong with a stage on disk, one sentence each."""
    try:
        manifest = load_manifest(store)
        if manifest is None:
            return [f"{store.url}: no manifest, so the stage is not complete"]
        manifest.balance.check(manifest.stage)
    except StateError as error:
        return [str(error)]
    return [problem for item in manifest.partitions for problem in _problems(store, item)]


def _problems(store: Store, partition: Partition) -> Iterator[str]:
    try:
        data = checked_bytes(store, partition)
        if xxhash.xxh3_128_hexdigest(data) != partition.checksum:
            yield f"{store.url}/{partition.name}: its bytes are not the committed ones"
    except StateError as error:
        yield str(error)


def tables_of(store: Store, manifest: Manifest, kind: str, columns: list[str] | None = None) -> Iterator[pa.Table]:
    """Tables of one kind, a partition at a time."""
    return (read_partition(store, item, columns) for item in manifest.of(kind))


def table_of(store: Store, manifest: Manifest, kind: str, columns: list[str] | None = None) -> pa.Table:
    """All rows of one kind. Raises `StateError` when the stage has no such kind."""
    tables = list(tables_of(store, manifest, kind, columns))
    if not tables:
        raise StateError(f"{store.url}: stage {manifest.stage} has no {kind}")
    return pa.concat_tables(tables)


def dataset_hash(tables: Iterable[pa.Table], columns: tuple[str, ...] = ("id", "text")) -> str:
    """A hash over the canonical values of every row, the same for any order and any partitioning."""
    return dataset_hash_of([row_hashes(table, columns) for table in tables])


def dataset_hash_of(rows: Sequence[np.ndarray]) -> str:
    """The same from the `row_hashes` of tables that need not be in memory together."""
    merged = np.sort(np.concatenate(list(rows))) if rows else np.array([], dtype="S16")
    return xxhash.xxh3_128_hexdigest(f"{len(merged)}:".encode() + merged.tobytes())


def row_hashes(table: pa.Table, columns: tuple[str, ...] = ("id", "text")) -> np.ndarray:
    """16 bytes for the values of each row, S16."""
    values = [table.column(name).to_pylist() for name in columns]
    return np.array([xxhash.xxh3_128_digest(orjson.dumps(row)) for row in zip(*values, strict=True)], dtype="V16").view(
        "S16"
    )


def stage_fingerprint(
    config: Mapping[str, Any], inputs: Mapping[str, str], templates: Mapping[str, str], code: str
) -> str:
    """Identity of a stage's output: what it was told, what it read, which templates and which version of the stage."""
    return digest("stage", dict(config), dict(inputs), dict(templates), code)
