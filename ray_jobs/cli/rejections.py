"""What `show --rejected` prints: the rows that no stage kept, each with its reason, and their texts where asked."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from corpus.document import REJECTIONS
from corpus.errors import RecipeError, StateError
from corpus.manifest import load_manifest, table_of
from corpus.store import Store
from filters.sensitive import redact
from ray_jobs.explain import WITHHELD
from ray_jobs.line import run_folder
from ray_jobs.resolve import resolve

STAGES = ("filter", "generate", "clean", "read")  # the last word first
TEXT_SHOWN = 1200  # characters of a row


def print_rejected(
    recipe: str, settings: list[str], count: int, *, as_json: bool, source: str | None, reason: str | None, text: bool
) -> None:
    """The first rows, of one source and one reason where they are named. A reason may be the beginning of several."""
    folder = run_folder(resolve(recipe, settings).recipe)
    table = rejections_of(folder)
    if source:
        table = table.filter(pc.equal(table["source"], source))
    if reason:
        table = _of_reason(table, reason)
    table = table.slice(0, count)
    texts = _texts(folder, table["id"]) if text else {}
    for row in table.to_pylist():
        said = _shown(texts.get(row["id"], ""), row["reason"]) if text else None
        if as_json:
            print(orjson.dumps({**row, **({"text": said} if text else {})}).decode())
            continue
        print(f"{row['id']}  {row['source']}  {row['reason']}  {row['detail']}")
        if said:
            print(f"\n{said[:TEXT_SHOWN]}\n")


def rejections_of(folder: Store) -> pa.Table:
    """Everything that was rejected, by whichever stage. Raises `StateError` when none is complete."""
    manifests = {name: found for name in STAGES if (found := load_manifest(folder.child(name)))}
    if not manifests:
        raise StateError(f"{folder.url}: nothing is complete yet", hint="hornbook run")
    parts = [
        table_of(folder.child(name), found, "rejected") for name, found in manifests.items() if found.of("rejected")
    ]
    return pa.concat_tables([part.cast(REJECTIONS) for part in parts]) if parts else REJECTIONS.empty_table()


def _of_reason(table: pa.Table, reason: str) -> pa.Table:
    found = table.filter(pc.starts_with(table["reason"], reason))
    if table.num_rows and not found.num_rows:
        names = sorted(set(table["reason"].to_pylist()))
        raise RecipeError(f"nothing was rejected as {reason!r}", hint=f"reasons: {', '.join(names)}")
    return found


def _texts(folder: Store, ids: pa.ChunkedArray) -> dict[str, str]:
    """The texts as the filters saw them, by id."""
    found: dict[str, str] = {}
    for name in ("read", "clean", "generate"):
        manifest = load_manifest(folder.child(name))
        if manifest and manifest.of("documents"):
            rows = table_of(folder.child(name), manifest, "documents", ["id", "text"])
            rows = rows.filter(pc.is_in(rows["id"], value_set=ids.combine_chunks()))
            found |= dict(_pairs(rows))
    return found


def _pairs(rows: pa.Table) -> Iterator[tuple[str, str]]:
    return zip(rows["id"].to_pylist(), rows["text"].to_pylist(), strict=True)


def _shown(text: str, reason: str) -> str:
    return "(withheld)" if reason.split(".")[0] in WITHHELD else redact(text)[0]
