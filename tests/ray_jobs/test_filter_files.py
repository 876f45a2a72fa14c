"""The filters that compare texts, on plain files: what they write, what they say, and what they refuse."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.document import Document
from corpus.readers import read_files
from tests.fakes.teaching import OTHER, TEACHING, THINGS

ROOT = Path(__file__).parents[2]


def hornbook(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ray_jobs.cli.main", "filter", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def written(path: Path, rows: list[dict]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return path


def prose(phrases: list[str], seed: int, length: int = 24) -> str:
    draw = random.Random(seed)
    return ". ".join(
        f"{draw.choice(phrases).format(draw.choice(THINGS))} {draw.choice(THINGS)} {draw.randrange(999)}"
        for _ in range(length)
    )


@pytest.fixture
def kinds(tmp_path: Path) -> tuple[Path, Path]:
    """Texts that teach, of three books, and others, of three sites."""
    books = [{"text": prose(TEACHING, index), "book": f"book-{index % 3}"} for index in range(90)]
    pages = [{"text": prose(OTHER, 500 + index), "book": f"site-{index % 3}"} for index in range(90)]
    return written(tmp_path / "books.jsonl", books), written(tmp_path / "pages.jsonl", pages)


def test_cleaned_files_keep_every_document_and_say_what_was_done(tmp_path: Path) -> None:
    rows = [{"text": f"Log in\n\nThe {thing} is described here in one full sentence."} for thing in THINGS] + [
        {"text": "Log in"},
        {"no": "text"},
    ]
    done = hornbook("clean", written(tmp_path / "in.jsonl", rows), "--out", tmp_path / "out.parquet")
    assert done.returncode == 0, done.stderr
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.num_rows == len(THINGS)
    assert not any("Log in" in text for text in table["text"].to_pylist())
    assert all(steps == ["boilerplate.phrase", "blanks"] for steps in table["clean_steps"].to_pylist())
    assert "1 empty afterwards" in done.stderr
    assert "1 rows not readable" in done.stderr


def test_facts_are_held_against_the_source_of_the_same_row(tmp_path: Path) -> None:
    rows = [{"text": "The bridge is 37 metres long.", "source": "The bridge is 37 metres long."},
            {"text": "The bridge is 73 metres long.", "source": "The bridge is 37 metres long."}, {"text": "It has no source."}]  # fmt: skip
    done = hornbook("facts", written(tmp_path / "in.jsonl", rows), "--out", tmp_path / "out.parquet")
    assert done.returncode == 0, done.stderr
    assert pq.read_table(tmp_path / "out.parquet")["numbers"].to_pylist() == [[], ["73"]]
    assert "1 rows have no source" in done.stderr


@pytest.mark.parametrize(("unit", "kept"), [("document", 41), ("line", 42), ("meaning", 41)])
def test_copies_go_by_document_by_line_and_by_meaning(tmp_path: Path, unit: str, kept: int) -> None:
    rows = [{"text": prose(TEACHING, index)} for index in range(41)]
    rows += [{"text": rows[0]["text"]} for _ in range(3)] + [{"text": rows[0]["text"] + " Once more."}]
    done = hornbook("dedup", written(tmp_path / "in.jsonl", rows), "--unit", unit, "--out", tmp_path / "out.parquet")
    assert done.returncode == 0, done.stderr
    found = pq.read_table(tmp_path / "out.parquet").num_rows
    assert found == kept, done.stderr


def test_the_search_for_copies_measures_itself_on_the_files(tmp_path: Path) -> None:
    rows = [{"text": prose(TEACHING, index, 60)} for index in range(80)]
    done = hornbook("dedup", written(tmp_path / "in.jsonl", rows), "--self-test", "--sample", "8")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1].split()[:5] == ["0.90", "to", "1.00", "8", "8"]
    assert any("0 of them below 0.8, 0 below 0.3" in line for line in lines)
    assert "92% at 0.80" in done.stdout
    refused = hornbook("dedup", tmp_path / "in.jsonl")
    assert refused.returncode == 2
    assert "--self-test" in refused.stderr


def test_a_classifier_is_learned_scored_with_and_judged_source_by_source(
    kinds: tuple[Path, Path], tmp_path: Path
) -> None:
    books, pages = kinds
    given = ["--teaches", books, "--other", pages, "--source-field", "book"]
    told = hornbook("classifier", "evaluate", *given)
    assert told.returncode == 0, told.stderr
    assert "180 texts of 6 sources" in told.stdout
    assert "worst: book-" in told.stdout
    made = hornbook("classifier", "train", *given, "--out", tmp_path / "quality.bin")
    assert made.returncode == 0, made.stderr
    scored = hornbook(
        "score",
        pages,
        "--with",
        "quality",
        "--classifier",
        tmp_path / "quality.bin",
        "--out",
        tmp_path / "scores.parquet",
    )
    assert scored.returncode == 0, scored.stderr
    assert max(pq.read_table(tmp_path / "scores.parquet")["quality.teaches"].to_pylist()) < 0.5


def test_redundancy_is_measured_pruned_and_grown_from_numbers_by_id(tmp_path: Path) -> None:
    path = written(
        tmp_path / "in.jsonl", [{"text": prose(TEACHING if index % 2 else OTHER, index % 60)} for index in range(600)]
    )
    rows = [row for row in read_files([str(path)]) if isinstance(row, Document)]
    pq.write_table(pa.table({"id": [row.id for row in rows], "score": [float("therefore" in row.text) + 0.01 * (n % 7) for n, row in enumerate(rows)]}),
                   tmp_path / "scores.parquet")  # fmt: skip
    given = [path, "--scores", tmp_path / "scores.parquet", "--dimensions", "8"]
    measured = hornbook("redundancy", "measure", *given)
    assert measured.returncode == 0, measured.stderr
    assert "can go" in measured.stdout or "not redundant" in measured.stdout
    pruned = hornbook(
        "redundancy", "prune", *given, "--keep", "0.3", "--by", "spread", "--out", tmp_path / "kept.parquet"
    )
    assert pruned.returncode == 0, pruned.stderr
    assert pq.read_table(tmp_path / "kept.parquet").num_rows == 180
    grown = hornbook(
        "redundancy", "grow", *given, "--until", "0.2", "--doubt", "random", "--out", tmp_path / "order.parquet"
    )
    assert grown.returncode == 0, grown.stderr
    order = pq.read_table(tmp_path / "order.parquet")
    assert len(set(order["id"].to_pylist())) == order.num_rows == 120


def test_numbers_that_are_not_there_are_a_named_error(tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", [{"text": "one"}])
    pq.write_table(pa.table({"id": ["x"], "other": [1.0]}), tmp_path / "scores.parquet")
    done = hornbook("redundancy", "measure", path, "--scores", tmp_path / "scores.parquet")
    assert done.returncode == 3
    assert "no column `score`" in done.stderr
    gone = hornbook("redundancy", "measure", path, "--scores", tmp_path / "gone.parquet")
    assert gone.returncode == 3
    assert "gone.parquet: there is no such file" in gone.stderr


def test_redacted_files_hold_no_finding_and_count_what_was_replaced(tmp_path: Path) -> None:
    rows = [{"text": f"Ask mary.shelley@villa-diodati.ch about {thing}, or 415-234-9876."} for thing in THINGS]
    rows += [{"text": "-----BEGIN RSA PRIVATE KEY-----\n" + "q" * 64}, {"text": "Nothing to see here."}, {"no": "text"}]
    source = written(tmp_path / "in.jsonl", rows)
    done = hornbook("redact", source, "--out", tmp_path / "out.parquet", "--drop", "private_key")
    assert done.returncode == 0, done.stderr
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.num_rows == len(THINGS) + 1
    assert table["text"][0].as_py() == f"Ask <email> about {THINGS[0]}, or <phone>."
    assert table["masked"].to_pylist() == [[("email", 1), ("phone", 1)]] * len(THINGS) + [[]]
    assert f"{len(THINGS) + 2} documents, {len(THINGS) + 1} kept, 1 left out" in done.stderr
    assert "private_key      1 findings in 1 documents, left out" in done.stderr
    only = hornbook("redact", source, "--out", tmp_path / "only.parquet", "--kind", "email")
    assert only.returncode == 0, only.stderr
    assert "415-234-9876" in pq.read_table(tmp_path / "only.parquet")["text"][0].as_py()
    assert (
        "no kind of sensitive text 'emial'"
        in hornbook("redact", source, "--out", tmp_path / "x", "--kind", "emial").stderr
    )


def test_weights_are_searched_and_blended_and_a_corpus_is_scored_to_be_pruned(tmp_path: Path) -> None:
    books = written(tmp_path / "books.jsonl", [{"text": prose(TEACHING, seed)} for seed in range(40)])
    ads = written(tmp_path / "ads.jsonl", [{"text": prose(OTHER, 100 + seed)} for seed in range(40)])
    exam = written(tmp_path / "exam.jsonl", [{"text": prose(TEACHING, 200 + seed)} for seed in range(10)])
    found = hornbook("mix-search", books, ads, "--target", exam, "--tokens", 5000, "--mixes", 8)
    assert found.returncode == 0, found.stderr
    weights = found.stdout.strip().splitlines()[-1].removeprefix("--weights ")
    assert float(weights.split(",")[0]) > 0.5, "books are nearer to the exam"
    mix = hornbook(
        "blend",
        books,
        ads,
        "--order",
        "blocked",
        "--replay",
        "0.2",
        "--tokens",
        4000,
        "--out",
        tmp_path / "mix.parquet",
    )
    assert "blocks of" in mix.stderr
    kinds = [origin.partition(":")[0] for origin in pq.read_table(tmp_path / "mix.parquet")["origin"].to_pylist()]
    assert set(kinds[:5]) == {"books.jsonl"}
    assert {"books.jsonl", "ads.jsonl"} == set(kinds[kinds.index("ads.jsonl") :]), "the second block replays the first"
    scored = hornbook("redundancy", "score", books, ads, "--by", "copies", "--out", tmp_path / "scores.parquet")
    assert scored.returncode == 0, scored.stderr
    assert pq.read_table(tmp_path / "scores.parquet").num_rows == 80


def test_a_classifier_is_checked_against_labels_of_people(tmp_path: Path) -> None:
    rows = [{"text": prose(TEACHING if good else OTHER, seed), "label": good, "site": f"s{seed % 4}{good}"}
            for seed in range(40) for good in (0, 1)]  # fmt: skip
    good, bad = (written(tmp_path / f"{kind}.jsonl", [row for row in rows if row["label"] == kind]) for kind in (1, 0))
    trained = hornbook("classifier", "train", "--teaches", good, "--other", bad, "--source-field", "site", "--out", tmp_path / "q.bin")  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    told = hornbook("classifier", "check", good, bad, "--classifier", tmp_path / "q.bin", "--teaches", "1")
    assert told.returncode == 0, told.stderr
    assert "AUC 1.000" in told.stdout
    refused = hornbook("classifier", "check", good, "--classifier", "gone", "--teaches", "1")
    assert refused.returncode == 2
    assert "1" in refused.stderr
