"""`hornbook filter dedup --unit passage`: files in, files out, every cut on record, and the same after a kill or on Ray."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.errors import RecipeError
from ray_jobs import dedup_files
from ray_jobs.passage_files import passages_files
from tests.ray_jobs.test_dedup_files import kept, killed_while_making, written

SLOW = """
import sys, time
import filters.passages, ray_jobs.dedup_files
from ray_jobs.passage_files import passages_files
sampled = filters.passages.sampled
def slowly(*given, **named):
    time.sleep(0.2)
    return sampled(*given, **named)
filters.passages.sampled, ray_jobs.dedup_files.PART_ROWS = slowly, 10
passages_files([sys.argv[1]], sys.argv[2], 50, "text")
"""  # many small parts, so that there is a moment between them


def pages(count: int) -> list[str]:
    """Pages of words of their own, every third with 60 words of an earlier one inside."""
    made: list[list[str]] = []
    for number in range(count):
        words = [f"w{number}x{place}" for place in range(100)]
        if number % 3 == 2:
            source, begin = random.Random(number).choice(made[: number - 1]), number % 40
            words[50:50] = source[begin : begin + 60]
        made.append(words)
    return [" ".join(words) for words in made]


def test_what_is_written_and_the_record_are_what_was_read(tmp_path: Path) -> None:
    texts = pages(30)
    web, out = written(tmp_path / "web.jsonl", texts), tmp_path / "out.parquet"
    told = passages_files([web], out, 50, "text")
    record = pq.read_table(tmp_path / "out.cuts.parquet").to_pylist()
    assert told[:3] == [
        "10 passages of 50 words or more stand earlier",
        f"10 of 30 documents changed, {sum(len(row['text']) for row in record):,} of {sum(map(len, texts)):,} characters went",
        "0 documents had nothing else and are left out",
    ]
    assert sum(map(len, texts)) == sum(map(len, kept(out))) + sum(row["end"] - row["start"] for row in record)
    assert {row["words"] for row in record} == {60}
    ids = set(pq.read_table(out)["id"].to_pylist())
    assert all(row["id"] in ids and row["kept_id"] in ids for row in record)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.cuts.parquet", "out.parquet", "web.jsonl"]


def test_files_in_which_nothing_is_said_twice_have_an_empty_record(tmp_path: Path) -> None:
    texts = pages(2)
    passages_files([written(tmp_path / "web.jsonl", texts)], tmp_path / "out.parquet", 50, "text")
    assert kept(tmp_path / "out.parquet") == texts
    assert pq.read_table(tmp_path / "out.cuts.parquet").num_rows == 0


def test_killed_in_the_middle_it_goes_on_to_the_same_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web = written(tmp_path / "web.jsonl", pages(120))
    out, work = tmp_path / "killed.parquet", tmp_path / "killed.parquet.work"
    killed_while_making(work / "samples", SLOW, web, out)
    assert not out.exists()
    monkeypatch.setattr(dedup_files, "PART_ROWS", 10)
    for path in (out, tmp_path / "whole.parquet"):
        passages_files([web], path, 50, "text")
    assert out.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert len(pq.read_table(tmp_path / "killed.cuts.parquet")) == 40


@pytest.mark.ray
def test_one_worker_two_or_none_and_other_parts_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web = written(tmp_path / "web.jsonl", pages(90))
    made = []
    for workers, rows in ((0, 20_000), (1, 7), (2, 11)):
        monkeypatch.setattr(dedup_files, "PART_ROWS", rows)
        out = tmp_path / f"{workers}.parquet"
        passages_files([web], out, 50, "text", workers)
        made.append((kept(out), pq.read_table(tmp_path / f"{workers}.cuts.parquet").to_pylist()))
    assert made[0] == made[1] == made[2]


def test_files_without_a_document_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no readable document"):
        passages_files([written(tmp_path / "web.jsonl", [""])], tmp_path / "out.parquet", 50, "text")
