"""`hornbook filter dedup --unit meaning`: what stays, whatever the parts, and nothing left beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from corpus.errors import RecipeError
from filters.semantic import nearest_better, repeats
from filters.vectors import word_vectors
from ray_jobs import dedup_files, retelling_files
from ray_jobs.retelling_files import retellings_files
from tests.filters.test_semantic import many
from tests.ray_jobs.test_dedup_files import kept, written


def in_memory(tmp_path: Path, texts: list[str]) -> list[str]:
    """What stays of texts that are all held at once; the ids are those that the files give."""
    retellings_files([written(tmp_path / "ids.jsonl", texts)], tmp_path / "all.parquet", 1.0, "text")
    ids = pq.read_table(tmp_path / "all.parquet")["id"].to_pylist()
    assert len(ids) == len(texts)
    rank = np.argsort(np.argsort(np.array(ids, object)))
    gone = repeats(nearest_better(word_vectors(texts), rank), 0.9)
    return [text for text, goes in zip(texts, gone, strict=True) if not goes]


def test_what_stays_is_what_stays_in_memory_however_the_documents_are_cut_into_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = many(40)
    expected = in_memory(tmp_path, texts)
    assert 8 < len(expected) < 20
    for rows, size in ((20_000, 16 << 20), (7, 1000)):
        monkeypatch.setattr(dedup_files, "PART_ROWS", rows)
        monkeypatch.setattr(retelling_files, "COUNTED_BYTES", size)
        told = retellings_files([str(tmp_path / "ids.jsonl")], tmp_path / "out.parquet", 0.9, "text")
        assert kept(tmp_path / "out.parquet") == expected
        assert told[0] == f"40 documents, {len(expected)} kept at 0.9"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.parquet", "ids.jsonl", "out.parquet"]


def test_files_without_a_document_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no readable document"):
        retellings_files([written(tmp_path / "web.jsonl", [""])], tmp_path / "out.parquet", 0.95, "text")
