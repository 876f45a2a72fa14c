"""A stage: (config section, input manifests) → one committed manifest. Done once; the same again costs nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from corpus.errors import StateError
from corpus.facts import Fact
from corpus.manifest import Balance, Manifest, commit_manifest, load_manifest, stage_fingerprint
from corpus.shards import Partition
from corpus.store import Store
from ray_jobs.code import code_hash


@dataclass(frozen=True)
class Made:
    """What a stage's work hands back, to be written into its manifest."""

    partitions: tuple[Partition, ...] = ()
    balance: Balance = field(default_factory=Balance)
    reasons: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    totals: Mapping[str, int] = field(default_factory=dict)
    licences: Mapping[str, int] = field(default_factory=dict)
    dataset_hash: str = ""


@dataclass(frozen=True)
class Stage:
    """One step of the line. `version` changes when the same config and inputs would give another output."""

    name: str
    config: Mapping[str, Any]
    inputs: Mapping[str, Manifest]
    work: Callable[[Store], Made]
    templates: Mapping[str, str] = field(default_factory=dict)
    version: str = "1"

    @property
    def fingerprint(self) -> str:
        """Identity of the output."""
        inputs = {name: manifest.fingerprint for name, manifest in self.inputs.items()}
        return stage_fingerprint(self.config, inputs, self.templates, f"{self.name}/{self.version}")


def finished(stage: Stage, folder: Store) -> Manifest | None:
    """The stage's manifest when it is complete; `StateError` when it is complete for another recipe."""
    found = load_manifest(folder.child(stage.name))
    if found is None or found.fingerprint == stage.fingerprint:
        return found
    raise StateError(
        f"{folder.url}/{stage.name} was made with another recipe:\n{difference(found, stage)}",
        hint="set another `version`, restore the recipe, or delete the folder to make it again",
    )


def complete(stage: Stage, folder: Store, label: str) -> Manifest:
    """Do the stage's work unless it is done, and commit its manifest last."""
    if found := finished(stage, folder):
        return found
    store, begun = folder.child(stage.name), time.monotonic()
    made = stage.work(store)
    name, _, version = label.partition("@")
    manifest = Manifest(
        name=name,
        version=version,
        stage=stage.name,
        fingerprint=stage.fingerprint,
        config=dict(stage.config),
        inputs={key: value.fingerprint for key, value in stage.inputs.items()},
        partitions=made.partitions,
        balance=made.balance,
        reasons=dict(made.reasons),
        facts=dict(made.facts),
        totals=dict(made.totals),
        licences=dict(made.licences),
        dataset_hash=made.dataset_hash,
        code=code_hash(),
        seconds=round(time.monotonic() - begun, 3),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if not commit_manifest(store, manifest):
        raise StateError(
            f"{store.url}: another process completed this stage meanwhile", hint="run again to go on from it"
        )
    return load_manifest(store) or manifest


def difference(found: Manifest, stage: Stage) -> str:
    """Field by field: what was recorded, and what the recipe says now."""
    lines = [f"  {told}" for told in differences(found.config, dict(stage.config))]
    now = {name: manifest.fingerprint for name, manifest in stage.inputs.items()}
    lines += [f"  input {name} was made anew" for name in sorted(now) if found.inputs.get(name) != now[name]]
    return "\n".join(lines or ["  a template or the stage's own code changed"])


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """`key.of.field: before → after` for every field that differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from differences(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif _plain(before) != _plain(after):
        yield f"{path}: {before!r} → {after!r}"


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
