"""Frees room: removes what no manifest names and no run can need again, and never what a manifest names.

Per run: temporaries that nobody finished, partitions of a writer that came second, and, where the teacher's stage is
committed, its waves and those segments of the journal whose every reply lies in `replies/`. A version goes as a whole
only when it is named. A run that a driver holds is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import RecipeError, StateError
from corpus.journal import is_segment, read_segment
from corpus.lease import Lease
from corpus.manifest import MANIFEST, Manifest, load_manifest, tables_of
from corpus.shards import PARTITION
from corpus.store import TEMPORARY, Store, open_store
from ray_jobs.drive import STAGES
from ray_jobs.recipe import Recipe

TEMPORARY_S = 3600.0  # a younger temporary may have a living owner
SCRATCH = ("waves/", "asking/")  # of the generate stage, for going on; a committed stage goes on no more


@dataclass(frozen=True, slots=True)
class Waste:
    """One file that may go."""

    run: str
    name: str
    bytes: int
    why: str


def find_waste(recipe: Recipe, abandoned: Sequence[str] = ()) -> list[Waste]:
    """Of every run in the recipe's store. `abandoned` are labels (NAME@VERSION) that go as a whole."""
    store = open_store(recipe.store)
    runs = runs_of(store)
    if unknown := sorted(set(abandoned) - set(runs)):
        raise RecipeError(f"there is no run {unknown[0]} in {store.url}", hint=f"known: {', '.join(runs)}")
    found: list[Waste] = []
    for run in runs:
        folder = store.child(run)
        if run in abandoned:
            # Manifests first: a run that is half removed must not look complete.
            names = sorted(folder.names(), key=lambda name: (not name.endswith(MANIFEST), name))
            found += [Waste(run, name, folder.size(name), "abandoned") for name in names]
        else:
            found += [Waste(run, name, size, why) for name, size, why in _of_run(folder)]
    return found


def remove(recipe: Recipe, waste: Sequence[Waste]) -> tuple[int, list[str]]:
    """Remove what was found, run by run under the run's lease; (bytes freed, runs that a driver holds)."""
    store, freed, busy = open_store(recipe.store), 0, []
    for run in dict.fromkeys(item.run for item in waste):
        folder = store.child(run)
        with ExitStack() as stack:
            try:
                stack.callback(Lease.acquire(folder).release)
            except StateError:
                busy.append(run)
                continue
            still = {item.name for item in waste if item.run == run and item.why == "abandoned"}
            still |= {name for name, _, _ in _of_run(folder)}  # looked at again: a driver may have come and gone
            for item in waste:
                if item.run == run and item.name in still:
                    _delete(folder, item.name)
                    freed += item.bytes
        if any(item.run == run and item.why == "abandoned" for item in waste):
            _delete_rest(folder)
    return freed, busy


def runs_of(store: Store) -> list[str]:
    """Labels of all runs in a store."""
    return sorted({name.split("/")[0] for name in store.names() if "@" in name.split("/")[0]})


def _of_run(folder: Store) -> Iterator[tuple[str, int, str]]:
    yield from _temporaries(folder)
    for stage in STAGES:
        store = folder.child(stage)
        manifest = load_manifest(store) if store.exists(MANIFEST) else None
        if manifest is None:
            continue
        named = {item.name for item in manifest.partitions}
        for name in store.names():
            if PARTITION.match(name) and name not in named:
                yield f"{stage}/{name}", store.size(name), "no manifest names it"
        if stage == "generate":
            yield from _compacted(folder, store, manifest)


def _temporaries(folder: Store) -> Iterator[tuple[str, int, str]]:
    if folder.local is None:
        return
    limit = time.time() - TEMPORARY_S
    for path in sorted(folder.local.rglob(f"{TEMPORARY}*")):
        if path.is_file() and path.stat().st_mtime < limit:
            yield path.relative_to(folder.local).as_posix(), path.stat().st_size, "temporary"


def _compacted(folder: Store, store: Store, manifest: Manifest) -> Iterator[tuple[str, int, str]]:
    for prefix in SCRATCH:
        place = store.child(prefix.rstrip("/"))
        for name in place.names():
            yield f"generate/{prefix}{name}", place.size(name), "the stage is committed"
    for name in folder.child("pilot").names():
        if "/" in name:
            yield f"pilot/{name}", folder.child("pilot").size(name), "the stage is committed"
    keys = {
        key
        for table in tables_of(store, manifest, "replies", ["request_key"])
        for key in table["request_key"].to_pylist()
    }
    journal = store.child("journal")
    kept = set()
    for name in filter(is_segment, journal.names()):
        records = (record for record in read_segment(journal, name) if record.get("kind") == "reply")
        if all(record["request_key"] in keys for record in records):
            yield f"generate/journal/{name}", journal.size(name), "its replies lie in replies/"
        else:
            kept.add(name.split("-")[0])
    for name in journal.names():
        if not is_segment(name) and name.split("-")[0] not in kept:
            yield f"generate/journal/{name}", journal.size(name), "its replies lie in replies/"


def _delete(folder: Store, name: str) -> None:
    if folder.local is not None and Path(name).name.startswith(TEMPORARY):
        (folder.local / name).unlink(missing_ok=True)
    else:
        folder.delete(name)


def _delete_rest(folder: Store) -> None:
    """What an abandoned run's lease left behind, and the empty folders."""
    for name in folder.names():
        folder.delete(name)
    if folder.local is not None:
        for path in sorted(folder.local.rglob("*"), reverse=True):
            if path.is_dir():
                path.rmdir()
        folder.local.rmdir()
