"""A sample of plain files, judged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from heapq import heappush, heapreplace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from corpus.document import Document, Rejection, documents_table
from corpus.errors import RecipeError
from corpus.ids import digest
from corpus.readers import read_files
from filters.judge import check_judge, judge_table
from generator.local import SERVED_NAME
from generator.teachers.openai_judge import EndpointJudge
from ray_jobs.plain_files import unread
from ray_jobs.sink import sink

BATCH = 1000  # documents judged between two writes
TRIED = 200  # documents after which a judge that does not judge is refused, before the rest is paid for


def judge_files(
    files: Sequence[str], out: str | Path, url: str, model: str, rubric: str, sample: int, api_key: str, field: str
) -> list[str]:
    """Write a row of schema `JUDGED` for each of `sample` documents, drawn by their ids.

    Raises `RecipeError` where no document can be read, or for the embedded teacher; `SetupError` for a judge that does
    not answer the question or says the same to everything.
    """
    if SERVED_NAME.casefold() in model.casefold() or model == "embedded":
        raise RecipeError(
            "the embedded teacher cannot judge: it gives good and bad text the same score (measured)",
            hint="name a capable endpoint",
        )
    rejected: list[Rejection] = []
    drawn = _drawn(files, sample, field, rejected)
    if not drawn:
        raise RecipeError("no readable document in these files", hint="; ".join(row.detail for row in rejected[:3]))
    judge = EndpointJudge(url, model, api_key)
    done: list[pa.Table] = []
    with sink(out) as file:
        for start in _starts(len(drawn)):
            done.append(judge_table(documents_table(drawn[slice(*start)]), rubric, judge))
            file.write(done[-1])
            check_judge(pa.concat_tables(done))
    return [*_told(pa.concat_tables(done)), *unread(rejected), f"wrote {out}"]


def _starts(size: int) -> list[tuple[int, int]]:
    """(start, end) of the batches: a small first one, so that a bad judge costs little."""
    cuts = [0, *range(min(TRIED, size), size, BATCH), size]
    return [(low, high) for low, high in pairwise(cuts) if high > low]


def _drawn(files: Sequence[str], sample: int, field: str, rejected: list[Rejection]) -> list[Document]:
    """The documents with the smallest hashes of their ids: the same ones whatever the order of the files."""
    heap: list[tuple[int, int, Document]] = []
    for place, row in enumerate(read_files(files, text_field=field)):
        if isinstance(row, Rejection):
            rejected.append(row)
            continue
        item = (-int(digest("judge", row.id)[:15], 16), place, row)
        if len(heap) < sample:
            heappush(heap, item)
        elif item[:2] > heap[0][:2]:
            heapreplace(heap, item)
    return [row for _, _, row in sorted(heap, key=lambda item: item[2].id)]


def _told(judged: pa.Table) -> list[str]:
    scores = [score for score in judged["score"].to_pylist() if not math.isnan(score)]
    mass = sum(judged["mass"].to_pylist()) / judged.num_rows
    head = f"{judged.num_rows:,} documents judged, mean {sum(scores) / max(1, len(scores)):.2f} points, {mass:.1%} of the probability on digits"
    bands = [sum(low <= score < low + 1 for score in scores) for low in range(6)]
    rows = [f"  {low} to {low + 1}  {count:,}" for low, count in enumerate(bands) if low < 5 or count]
    silent = judged.num_rows - len(scores)
    return [head, *rows, *([f"  no digit  {silent:,}"] if silent else [])]
