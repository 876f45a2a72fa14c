"""Runs in a store that hold replies: committed, or still in the journal of a run that never ended."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from corpus.journal import JournalWriter
from corpus.manifest import Balance, Manifest, commit_manifest
from corpus.shards import write_partition
from corpus.store import Store
from generator.reply import OUTCOMES, Outcome, Reply

TEACHER = {"teacher": {"model": "fake-teacher", "revision": "main"}}


def reply_to(key: str, *, finish: str = "stop", tokens: int = 40, text: str = "") -> Reply:
    """A stored reply."""
    return Reply(key, text or f"The reply to {key}.", finish, 10, tokens, "fake-teacher", 0.5, "http://127.0.0.1:1/v1")


def commit_replies(store: Store, run: str, outcomes: Sequence[Outcome], config: dict | None = None) -> Manifest:
    """A generate stage of `run` (NAME@VERSION) that holds nothing but replies."""
    folder, (name, version) = store.child(f"{run}/generate"), run.split("@")
    table = pa.Table.from_pylist([item.to_record() for item in outcomes], schema=OUTCOMES)
    manifest = Manifest(
        name=name, version=version, stage="generate", fingerprint="f", config=TEACHER if config is None else config,
        partitions=(write_partition(folder, "replies", 0, table, group_rows=16),), balance=Balance(),
    )  # fmt: skip
    assert commit_manifest(folder, manifest)
    return manifest


def journal_replies(store: Store, run: str, outcomes: Sequence[Outcome], *, sealed: bool = True) -> None:
    """A journal of `run`, whose stage is not complete."""
    writer = JournalWriter(store.child(f"{run}/generate/journal"), "w0123")
    for item in outcomes:
        writer.append(item.to_record())
    writer.sync()
    if sealed:
        writer.close()
