"""Soft labels of plain files: one row a document in the schema of a run's side table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from corpus.document import Document, Rejection
from corpus.errors import RecipeError
from corpus.readers import read_files
from corpus.soft_labels import SOFT_LABELS, Labelled, labels_table, text_hash
from generator.given_text import Scorer, label_text, load_tokenizer
from generator.local import SERVED_NAME, ensure_embedded_teacher
from generator.teacher_config import EMBEDDED
from ray_jobs.cluster import cache_folder
from ray_jobs.plain_files import unread

ROWS = 64  # documents written at once: a row group, and what is lost in memory at most


def label_files(
    files: Sequence[str], out: Path, model: str, k: int, *, url: str = "", tokenizer: str = "", window: int = 2048,
    api_key: str = "", field: str = "text", draws: int = 0,
) -> list[str]:  # fmt: skip
    """Write the labels of every readable document; what was read and written, a line each.

    `k` likeliest tokens each, or `draws` from the whole distribution of a teacher in this process.
    Raises `RecipeError` when no document can be read, `SetupError` when the teacher cannot be.
    """
    folder = teacher_folder(tokenizer if url else model, url)
    reader, start, name = load_tokenizer(folder)
    k = draws or k
    scorer = _scorer(folder, model, url, window, api_key, bool(draws))
    rejected: list[Rejection] = []
    documents = tokens = 0
    part = out.with_name(f".{out.name}.part")
    with pq.ParquetWriter(part, SOFT_LABELS, compression="zstd") as writer:
        for batch in _batches(files, field, rejected):
            rows = [
                Labelled(item.id, text_hash(item.text), "", 0, labels, f"{scorer.name}@given-text", name)
                for item in batch
                if (labels := label_text(item.text, reader, start, scorer, k)) is not None
            ]
            writer.write_table(labels_table(rows))
            documents, tokens = documents + len(rows), tokens + sum(len(row.labels) for row in rows)
    if not documents:
        part.unlink()
        raise RecipeError("no readable document in these files", hint="; ".join(row.detail for row in rejected[:3]))
    part.replace(out)
    size = out.stat().st_size / max(1, tokens)
    return [f"{documents:,} documents, {tokens:,} tokens, {k} entries each, {size:.1f} bytes a token", *unread(rejected),
            f"wrote {out}"]  # fmt: skip


def _scorer(folder: Path, model: str, url: str, window: int, api_key: str, draws: bool) -> Scorer:
    """A teacher by its address, or by its weights."""
    if url and draws:
        raise RecipeError("--draws needs the teacher's weights: an endpoint tells its likeliest tokens only",
                          hint="leave --endpoint out")  # fmt: skip
    if url:
        from generator.teachers.openai_given_text import EndpointScorer

        return EndpointScorer(url, model, window, api_key)
    from generator.local_labels import LocalDraws, LocalScorer

    return (LocalDraws if draws else LocalScorer)(folder, _name(model))


def teacher_folder(model: str, url: str = "") -> Path:
    """Where weights or at least a tokenizer lie."""
    if model == EMBEDDED:
        return ensure_embedded_teacher(cache_folder())
    if not model:
        raise RecipeError("an endpoint needs --tokenizer FOLDER: its tokens are sent by id")
    if not Path(model).is_dir():
        raise RecipeError(
            f"{model}: no folder", hint="name a folder with the weights, or the endpoint that serves it by --endpoint"
        )
    return Path(model)


def _name(model: str) -> str:
    return SERVED_NAME if model == EMBEDDED else Path(model).name


def _batches(files: Sequence[str], field: str, rejected: list[Rejection]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    for row in read_files(files, text_field=field):
        if isinstance(row, Rejection):
            rejected.append(row)
            continue
        batch.append(row)
        if len(batch) == ROWS:
            yield batch
            batch = []
    if batch:
        yield batch
