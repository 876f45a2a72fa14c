"""Whether a publication still is what was published: every file, every count, and the hash over all rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import RecipeError, StateError
from corpus.folder import LABELS, REJECTED, VOUCHER, check_folder, parquet_rows, read_voucher
from corpus.manifest import dataset_hash


def verify(target: str | Path, revision: str | None = None) -> list[str]:
    """Everything that is wrong with a published folder or Hub repository, one sentence each; empty when nothing is.

    Shows damage and edits. It does not show who published: somebody who rewrites the data and the voucher together
    makes a publication of their own.
    """
    if Path(target).is_dir():
        return _problems(Path(target))
    if isinstance(target, Path) or target.count("/") != 1 or target.startswith(("/", ".", "~")):
        raise RecipeError(f"{target}: neither a folder nor a repository", hint="a repository is called user/name")
    from corpus.hub import download

    with tempfile.TemporaryDirectory(prefix="hornbook-verify-") as place:
        return _problems(download(target, revision, Path(place)))


def _problems(folder: Path) -> list[str]:
    try:
        data = (folder / VOUCHER).read_bytes()
    except FileNotFoundError:
        return [f"{VOUCHER}: missing, so this is not a complete publication"]
    try:
        body = read_voucher(data, VOUCHER)
    except StateError as error:
        return [str(error)]
    return [*check_folder(folder, body), *_wrong_rows(folder, body)]


def _wrong_rows(folder: Path, body: Mapping[str, Any]) -> Iterator[str]:
    """Counts and the dataset hash, recomputed from the rows themselves."""
    counted: dict[str, int] = {}
    for name, facts in body["files"].items():
        if "rows" in facts and (folder / name).is_file():
            try:
                counted[name] = pq.read_metadata(folder / name).num_rows
            except (pa.ArrowException, OSError) as error:
                yield f"{name}: not readable as Parquet: {str(error).splitlines()[0]}"
                continue
            if counted[name] != facts["rows"]:
                yield f"{name}: {counted[name]:,} rows, and {facts['rows']:,} were published"
    documents = [name for name in counted if not name.startswith((f"{REJECTED}/", f"{LABELS}/"))]
    total = sum(counted[name] for name in documents)
    if total != body["rows"]:
        yield f"{total:,} documents, and {body['rows']:,} were published"
    try:
        found = dataset_hash(parquet_rows(folder, documents, ["id", "text"]))
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:  # a byte of the schema, of a length, of a text
        yield f"the rows cannot be read: {type(error).__name__}: {str(error).splitlines()[0]}"
    else:
        if found != body["dataset_hash"]:
            yield f"the hash over all rows is {found}, and {body['dataset_hash']} was published"
