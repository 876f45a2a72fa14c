"""The filters of plain files read and write an object store by URL, and give what they give on a disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.hostile_verbs import judge
from corpus.errors import RecipeError, SetupError
from filters.classifier import Kind
from filters.config import CleanConfig, DecontaminateConfig
from filters.folds import Examples
from ray_jobs import classifier_files, redundancy_files
from ray_jobs.clean_files import clean_files
from ray_jobs.decontaminate_files import decontaminate_files
from ray_jobs.dedup_files import dedup_files, shared_files
from ray_jobs.judge_files import judge_files
from ray_jobs.plain_files import score_files
from ray_jobs.redact_files import redact_files
from ray_jobs.sink import sink, write_out
from tests.end_to_end.conftest import page
from tests.fakes.stores import s3_bucket

Write = Callable[[Sequence[str], str], object]


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with s3_bucket("filters") as url:
        yield url


def texts() -> list[str]:
    pages = [page(number) for number in range(12)]
    return [
        *pages,
        pages[0],
        pages[1] + " once more",
        "Log in\n\n" + page(50),
        "write to ann@kettle.org.uk now",
        page(60),
    ]


VERBS: dict[str, Write] = {
    "score": lambda files, out: score_files(files, out, ("gopher", "repetition"), "", None, "text"),
    "clean": lambda files, out: clean_files(files, out, CleanConfig(), "text"),
    "dedup": lambda files, out: dedup_files(files, out, 0.8, "text"),
    "dedup of lines": lambda files, out: shared_files(files, out, "line", "text"),
    "redundancy score": lambda files, out: redundancy_files.score_files(files, out, "copies", "", None, 17, "text"),
    "judge": lambda files, out: _judged(files, out),
    "redact": lambda files, out: redact_files(files, out, (), (), "text"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_gives_the_same_at_a_url_as_on_a_disk(verb: str, bucket: str, tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({"text": text}) for text in texts())
    (tmp_path / "in.jsonl").write_text(lines, "utf-8")
    store, place = fsspec.filesystem("s3"), f"{bucket}/{verb.replace(' ', '-')}"
    store.pipe_file(f"{place}/in.jsonl", lines.encode())
    VERBS[verb]([f"{place}/in.jsonl"], f"{place}/out.parquet")
    VERBS[verb]([str(tmp_path / "in.jsonl")], str(tmp_path / "out.parquet"))
    store.invalidate_cache()
    assert sorted(path.rpartition("/")[2] for path in store.find(place)) == ["in.jsonl", "out.parquet"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.parquet"]
    with store.open(f"{place}/out.parquet") as file:
        there = pq.read_table(file)
    here = pq.read_table(tmp_path / "out.parquet")
    assert here.num_rows
    assert _values(there) == _values(here)


def _judged(files: Sequence[str], out: str) -> None:
    with judge() as url:
        judge_files(files, out, url, "stub", "prose", 100, "", "text")


@pytest.mark.parametrize("kind", ["words", "linear"])
def test_a_classifier_is_written_to_a_url(kind: Kind, bucket: str, tmp_path: Path) -> None:
    examples = Examples(
        [*(f"{text} teaches" for text in texts()[:14]), *texts()[:14]], np.arange(28) < 14, np.array(["a"] * 28)
    )
    embed = lambda some: np.array([[len(text), text.count("e")] for text in some], np.float32)  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier_files, "embed_of", lambda kind, embedding: embed)
        for out in (f"{bucket}/{kind}/quality", str(tmp_path / "quality")):
            assert classifier_files.train_files(examples, kind, out, "", 17)[-1] == f"wrote {out}"
    store, here = fsspec.filesystem("s3"), tmp_path / "quality"
    files = [here] if here.is_file() else sorted(here.iterdir())
    for file in files:
        name = f"{bucket}/{kind}/quality" if file == here else f"{bucket}/{kind}/quality/{file.name}"
        assert store.cat_file(name) == file.read_bytes()


def test_numbers_of_a_url_are_joined_to_the_files(bucket: str, tmp_path: Path) -> None:
    rows = "\n".join(json.dumps({"text": f"{number} {page(number)}"}) for number in range(520))
    (tmp_path / "in.jsonl").write_text(rows, "utf-8")
    store, scores, ids = fsspec.filesystem("s3"), f"{bucket}/numbers/scores.parquet", f"{bucket}/numbers/ids.parquet"
    redundancy_files.score_files([str(tmp_path / "in.jsonl")], scores, "copies", "", None, 17, "text")
    data = redundancy_files.load([str(tmp_path / "in.jsonl")], scores, "score", "text", 2)
    redundancy_files.prune_files(data, ids, 0.5, "low", 17)
    with store.open(ids) as file:
        assert pq.read_table(file).num_rows == 260
    with pytest.raises(SetupError, match="no column `points`"):
        redundancy_files.load([str(tmp_path / "in.jsonl")], scores, "points", "text", 2)
    with pytest.raises(SetupError, match=r"none\.parquet"):
        redundancy_files.load([str(tmp_path / "in.jsonl")], f"{bucket}/numbers/none.parquet", "score", "text", 2)


def test_benchmarks_are_kept_out_at_a_url_too(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "exam.jsonl").write_text(json.dumps({"question": page(3), "answer": "42"}), "utf-8")
    store = fsspec.filesystem("s3")
    store.pipe_file(f"{bucket}/leaks/in.jsonl", "\n".join(json.dumps({"text": text}) for text in texts()).encode())
    config = DecontaminateConfig(against=(str(tmp_path / "exam.jsonl"),))
    decontaminate_files([f"{bucket}/leaks/in.jsonl"], config, f"{bucket}/leaks/out.parquet", "text")
    with store.open(f"{bucket}/leaks/out.parquet") as file:
        assert pq.read_table(file).num_rows == len(texts()) - 1


def test_an_error_leaves_no_file_and_an_impossible_place_is_named(tmp_path: Path) -> None:
    table = pa.table({"id": ["a"]})

    def half() -> None:
        with sink(tmp_path / "out.parquet") as file:
            file.write(table)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RecipeError, match=r"nowhere/out\.parquet: cannot be written"):
        write_out(tmp_path / "nowhere" / "out.parquet", table)


def _values(table: pa.Table) -> list[dict[str, object]]:
    """Without what is named after the place."""
    kept = [name for name in table.column_names if name not in ("id", "origin")]
    return sorted(table.select(kept).to_pylist(), key=str)
