"""The card says what the manifests say, in Markdown that nothing can break out of."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from corpus.config import PublishConfig
from corpus.hub import publish
from corpus.markdown import bar, escape, fact_text, number, percent, table
from corpus.scrub import clean
from tests.fakes.runs import make_run, manifests_of


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("card")
    run = make_run(place / "run")
    config = PublishConfig(include_web=True, licence="CC-BY-4.0")
    publish(
        run,
        manifests_of(run),
        config,
        recipe={"name": "tiny", "seed": 17},
        title="A *tiny* | test",
        folder=place / "out",
    )
    return place / "out"


def parts(folder: Path) -> tuple[dict, str]:
    _, head, body = (folder / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(head), body


def cells(body: str, first: str) -> list[str]:
    line = next(line for line in body.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_header_names_every_config_and_its_files_exist(published: Path) -> None:
    head, _ = parts(published)
    assert head["license"] == "cc-by-4.0"
    assert head["tags"] == ["synthetic", "hornbook"]
    assert head["size_categories"] == ["n<1K"]
    assert {config["config_name"] for config in head["configs"]} >= {
        "default",
        "rejected",
        "arithmetic",
        "package-readme",
    }
    for config in head["configs"]:
        for item in config["data_files"]:
            assert list(published.glob(item["path"])), item


def test_every_figure_is_that_of_the_rows(published: Path) -> None:
    _, body = parts(published)
    rows = pq.read_table(published / "data").to_pylist()
    reasons = Counter(pq.read_table(published / "rejected")["reason"].to_pylist())
    assert cells(body, f"{len(rows)}")[:2] == [str(len(rows)), str(sum(row["tokens"] for row in rows))]
    for reason, count in reasons.items():
        assert cells(body, f"`{reason}`")[1:3] == [str(count), percent(count, sum(reasons.values()))]
    written = [row for row in rows if row["lineage"]]
    assert cells(body, "`embedded@main`")[1] == str(len(written))
    assert f"{len({row['lineage']['template_hash'] for row in written})} templates" in body
    assert f"{number(sum(row['lineage']['completion_tokens'] for row in written))} completion tokens" in body
    assert cells(body, "pages")[1:3] == ["MIT", "16"]


def test_captions_of_measurements_are_quoted_and_samples_are_not(published: Path) -> None:
    _, body = parts(published)
    assert "*A caption.*" in body
    assert "SAMPLE TEXT" not in body


def test_a_licence_that_the_hub_does_not_know_is_named_as_other(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    publish(run, manifests_of(run), PublishConfig(licence="House-1.0"), recipe={}, folder=tmp_path / "out")
    head, _ = parts(tmp_path / "out")
    assert (head["license"], head["license_name"]) == ("other", "House-1.0")


@pytest.mark.parametrize(
    "text", ["a | b", "a\nb", "<script>", "[x](http://y)", "![x](y)", "# x", "`x", "**x**", "$x$", "&lt;"]
)
def test_text_cannot_break_out_of_a_cell(text: str) -> None:
    cell = table(["a"], [[text]]).splitlines()[2]
    assert cell == f"| {escape(text)} |"
    assert "\n" not in cell
    for sign in "|<>[]#*`$&":
        assert all(cell[at - 1] == "\\" for at in range(2, len(cell) - 2) if cell[at] == sign)


def test_figures_are_written_for_reading() -> None:
    assert [number(value) for value in (0, 1234567, 0.12345, 12.0, 1234.5)] == [
        "0",
        "1,234,567",
        "0.1235",
        "12",
        "1,234",
    ]
    assert (percent(1, 3), percent(1, 0)) == ("33.3 %", "–")
    assert (bar(1, 1000), bar(0, 10), len(bar(10, 10))) == ("█", "", 20)


def test_kinds_of_facts_that_are_pictures_are_left_to_the_report() -> None:
    assert fact_text({"kind": "histogram", "title": "x"}) == ""
    assert "more rows" in fact_text(
        {"kind": "table", "title": "x", "columns": ["a"], "rows": [[1]] * 50, "caption": ""}
    )


@pytest.mark.parametrize(
    "text, clean_text",
    [
        ("/home/me/data/x.jsonl", "x.jsonl"),
        ("file:///mnt/d/x.jsonl", "x.jsonl"),
        ("~/data/*.parquet", "*.parquet"),
        ("C:\\Users\\me\\x.txt", "x.txt"),
        ("https://me:secret@host/a/b.gz", "https://host/a/b.gz"),
        ("s3://bucket/a/b.gz", "s3://bucket/a/b.gz"),
        ("tokens/s and 3/4 of train/test", "tokens/s and 3/4 of train/test"),
        ("user/name", "user/name"),
    ],
)
def test_machine_paths_and_logins_are_taken_out_and_nothing_else(text: str, clean_text: str) -> None:
    assert clean(text) == clean_text
