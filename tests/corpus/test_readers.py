"""Readers: every format gives the same rows, in order, with ids that do not depend on where the data lies."""

from __future__ import annotations

import gzip
import io
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from corpus.config import SourceConfig
from corpus.document import Document, Rejection
from corpus.errors import RecipeError
from corpus.readers import parts_of, read_files, read_source
from corpus.readers.http import page_html
from corpus.readers.pieces import LONGEST, modules, pages
from corpus.readers.sample import sampled
from corpus.readers.streams import Line, lines

ROWS = [{"text": f"Row {number}, with an umlaut: ü.", "url": f"https://example.org/{number}"} for number in range(7)]


def jsonl(rows: list[dict]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def parquet(rows: list[dict]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, row_group_size=3)
    return sink.getvalue()


FORMATS: dict[str, Callable[[list[dict]], bytes]] = {
    "a.jsonl": jsonl,
    "a.ndjson": jsonl,
    "a.json": jsonl,
    "a.jsonl.gz": lambda rows: gzip.compress(jsonl(rows)),
    "a.jsonl.zst": lambda rows: zstandard.compress(jsonl(rows)),
    "a.parquet": parquet,
}


def read(*paths: object, **config: object) -> list[Document]:
    rows = list(read_source("src", SourceConfig(kind="files", paths=tuple(map(str, paths)), **config), seed=0))
    assert not [row for row in rows if isinstance(row, Rejection)]
    return [row for row in rows if isinstance(row, Document)]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FORMATS[name](ROWS))
    found = read(tmp_path / name, licence="CC0-1.0", language="de", domain="notes")
    assert [(row.text, row.origin) for row in found] == [(row["text"], row["url"]) for row in ROWS]
    assert {(row.source, row.licence, row.language, row.domain) for row in found} == {("src", "CC0-1.0", "de", "notes")}


def test_ids_do_not_depend_on_the_folder_and_never_repeat(tmp_path: Path) -> None:
    for place in ("here", "there/deeper"):
        for part in ("x/a", "y/a"):
            file = tmp_path / place / f"{part}.jsonl"
            file.parent.mkdir(parents=True)
            file.write_bytes(jsonl(ROWS))
    here, there = (read(tmp_path / place / "*" / "*.jsonl") for place in ("here", "there/deeper"))
    assert [row.id for row in here] == [row.id for row in there]
    assert len({row.id for row in here}) == 14
    assert not any(str(tmp_path) in row.origin for row in here)


@pytest.mark.parametrize(("most", "parts"), [(1, 5), (500, 3), (1 << 30, 1)])
def test_parts_of_a_source_read_apart_are_the_rows_of_the_whole_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, parts: int
) -> None:
    for number in range(5):
        (tmp_path / f"{number}.jsonl").write_bytes(jsonl(ROWS[: number + 1]))
    monkeypatch.setattr("corpus.readers.PART_BYTES", most)
    config = SourceConfig(kind="files", paths=(str(tmp_path),))
    found = parts_of("src", config)
    assert len(found) == parts
    apart = [row for part in found for row in read_source("src", config, seed=0, files=part)]
    assert apart == list(read_source("src", config, seed=0))


def test_a_sample_and_the_machine_are_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS))
    sample = SourceConfig(kind="files", paths=(str(tmp_path),), documents=3)
    assert parts_of("src", sample) == parts_of("src", SourceConfig(kind="machine")) == [()]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS))
    assert len(read(tmp_path / "a.jsonl", tmp_path / "*.jsonl", tmp_path)) == 7


def test_a_rows_own_facts_win_over_the_sources(tmp_path: Path) -> None:
    rows = [
        {"text": "a", "licence": "MIT", "url": "https://a.org/", "date": "2024-01-02"},
        {"text": "b", "license": ["MIT", "Apache-2.0"], "id": "thing-7"},
        {"text": "c", "licence": None, "timestamp": 1700000000},
    ]
    (tmp_path / "a.jsonl").write_bytes(jsonl(rows))
    found = read(tmp_path / "a.jsonl", licence="CC0-1.0")
    assert [(row.licence, row.origin, row.date) for row in found] == [
        ("MIT", "https://a.org/", "2024-01-02"),
        ("MIT AND Apache-2.0", "a.jsonl#thing-7", ""),
        ("CC0-1.0", "a.jsonl:3", "1700000000"),
    ]


def test_another_text_field_is_read_and_a_missing_one_names_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl([{"body": "hello", "url": "u"}]))
    assert [row.text for row in read(tmp_path / "a.jsonl", text_field="body")] == ["hello"]
    row = next(iter(read_source("s", SourceConfig(kind="files", paths=(str(tmp_path / "a.jsonl"),)), seed=0)))
    assert isinstance(row, Rejection)
    assert row.reason == "no_text_field"
    assert "body, url" in row.detail


@pytest.mark.parametrize("path", ["no-such.jsonl", "no-*.jsonl", "x.docx", ""])
def test_a_path_that_cannot_be_read_is_named(tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.docx").write_text("")
    with pytest.raises(RecipeError) as caught:
        read(*([path] if path else []))
    assert path in str(caught.value)
    assert caught.value.hint


def test_plain_files_are_one_document_each_and_pages_lose_their_menus(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\ufeffFirst line.\n\nSecond.")
    (tmp_path / "b.md").write_text("# Title\n")
    page = "<html><body><nav><a href='/'>Menu</a></nav><main><h1>Heading</h1><p>" + "A sentence of text. " * 20
    (tmp_path / "c.html").write_text(page + "</p></main></body></html>")
    (tmp_path / "ignored.png").write_bytes(b"\x89PNG")
    found = read(tmp_path)
    assert [row.origin for row in found] == ["a.txt", "b.md", "c.html"]
    assert found[0].text == "First line.\n\nSecond."
    assert "A sentence" in found[2].text
    assert "Menu" not in found[2].text


def test_archives_give_pages_and_extracted_text_with_their_addresses(tmp_path: Path) -> None:
    def record(kind: str, block: bytes) -> bytes:
        head = (
            f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: http://a/{kind}\r\nWARC-Date: 2024-05-06T07:08:09Z\r\n"
        )
        return f"{head}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"

    page = b"<html><body><article><p>" + b"Caf\xe9 and more words here. " * 20 + b"</p></article></body></html>"
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n"
    image = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG"
    missing = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<p>gone</p>"
    parts = [("warcinfo", b"x: y"), ("response", http + page), ("request", b"GET / HTTP/1.1"), ("response", image),
             ("response", missing), ("conversion", "Schon Text: ü".encode())]  # fmt: skip
    (tmp_path / "a.warc.gz").write_bytes(b"".join(gzip.compress(record(*part)) for part in parts))
    found = read(tmp_path / "a.warc.gz")
    assert [row.origin for row in found] == ["http://a/response", "http://a/conversion"]
    assert "Café and more" in found[0].text
    assert found[1].text == "Schon Text: ü"
    assert found[0].date == "2024-05-06T07:08:09Z"


@pytest.mark.parametrize(
    "head, body",
    [
        ("Transfer-Encoding: chunked", b"5\r\n<p>a </p>"[:3] + b"<p>a \r\n4\r\n</p>\r\n0\r\n\r\n"),
        ("Content-Encoding: gzip", gzip.compress(b"<p>a </p>")),
        ("Content-Encoding: gzip", b"<p>a </p>"),
        ("Transfer-Encoding: chunked", b"<p>a </p>"),
        ("X: y", b"<p>a </p>"),
    ],
)
def test_transfer_and_content_codings_are_undone(head: str, body: bytes) -> None:
    assert page_html(f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{head}\r\n\r\n".encode() + body) == "<p>a </p>"


@given(st.lists(st.binary(max_size=30)), st.integers(1, 9))
def test_lines_are_the_same_however_the_bytes_arrive(parts: list[bytes], size: int) -> None:
    data = b"\n".join(parts)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    wanted = [Line(number, part) for number, part in enumerate(data.split(b"\n"), 1) if part]
    assert list(lines(iter(pieces))) == wanted
    limited = [
        Line(number, part if len(part) <= 8 else None) for number, part in enumerate(data.split(b"\n"), 1) if part
    ]
    assert list(lines(iter(pieces), limit=8)) == limited


def documents(count: int) -> list[Document | Rejection]:
    rows: list[Document | Rejection] = [Document(f"{n:04x}", "x" * 10, "s", "MIT", "o") for n in range(count)]
    rows.insert(3, Rejection("r", "read", "empty"))
    return rows


def test_a_sample_depends_on_the_seed_alone_and_keeps_order() -> None:
    first = list(sampled(lambda: iter(documents(500)), 50, seed=1))
    assert first == list(sampled(lambda: iter(documents(500)), 50, seed=1))
    ids = [row.id for row in first if isinstance(row, Document)]
    assert len(ids) == 50
    assert ids == sorted(ids)
    assert isinstance(first[0], Rejection)
    other = {row.id for row in sampled(lambda: iter(documents(500)), 50, seed=2)}
    assert len(other & set(ids)) < 25


def test_a_sample_too_large_to_hold_is_read_twice_and_is_the_same() -> None:
    passes = []

    def source() -> object:
        passes.append(1)
        return iter(documents(300))

    held = list(sampled(lambda: iter(documents(300)), 40, seed=3))
    assert list(sampled(source, 40, seed=3, held_limit=100)) == held  # type: ignore[arg-type]
    assert len(passes) == 2


def test_one_more_document_puts_out_at_most_one_other() -> None:
    before = {row.id for row in sampled(lambda: iter(documents(400)), 40, seed=3)}
    after = {row.id for row in sampled(lambda: iter(documents(401)), 40, seed=3)}
    assert len(before - after) <= 1


def test_fewer_documents_than_asked_are_all_taken() -> None:
    assert len(list(sampled(lambda: iter(documents(5)), 40, seed=3))) == 6


def test_a_command_lines_files_need_no_section(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(ROWS))
    assert [row.text for row in read_files([str(tmp_path / "a.jsonl")])] == [row["text"] for row in ROWS]  # type: ignore[union-attr]


@given(st.text(alphabet="ab \n#=-", max_size=20_000))
def test_pages_lose_nothing_but_white_space(text: str) -> None:
    for cut in (pages, modules):
        found = cut(text)
        assert "".join("".join(found).split()) == "".join(text.split())
        assert max(map(len, found), default=0) <= LONGEST + 300


def test_a_long_text_is_cut_before_headings_and_between_paragraphs() -> None:
    section = "\n\n".join(["## Heading", *["A paragraph of some words. " * 20] * 5])
    found = pages("\n\n".join([section] * 6))
    assert len(found) == 6
    assert all(page.startswith("## Heading") for page in found)


def test_a_dataset_of_the_hub_is_streamed_row_by_row(
    state: object, client: Callable[..., dict], hub: object, tmp_path: Path
) -> None:
    state.add("me/rows", {"train.parquet": parquet([*ROWS, {"text": None, "url": "u"}])})  # type: ignore[attr-defined]
    found = client(do="read", name="me/rows")
    assert found == {"texts": [row["text"] for row in ROWS], "reasons": ["text_not_a_string"]}
    missing = client(do="read", name="me/nothing")
    assert (missing["error"], missing["exit"]) == ("RecipeError", 2)


def test_the_machine_has_thousands_of_pages_with_licence_and_no_path() -> None:
    rows = list(read_source("local", SourceConfig(kind="machine"), seed=0))
    found = [row for row in rows if isinstance(row, Document)]
    assert len(found) > 2_000
    assert sum(len(row.text) for row in found) > 8_000_000
    assert len({row.id for row in found}) == len(found)
    labels = Counter(row.domain for row in found)
    assert (
        min(labels[name] for name in ("package-readme", "licence-text", "python-docs", "docstrings", "python-code"))
        > 50
    )
    known = sum(row.licence != "unknown" for row in found)
    assert known > 0.9 * len(found)
    home = str(Path(shutil.__file__).parent)
    assert not [
        row.origin for row in found if row.origin.startswith("/") or home in row.origin or "site-packages" in row.origin
    ]
    assert all("==" in row.origin for row in found)
    lengths = sorted(len(row.text) for row in found)
    assert lengths[-1] < LONGEST + 300
    assert 2_000 < lengths[len(lengths) // 2] < 5_000


def test_parts_of_the_machine_are_chosen_by_label_and_a_wrong_one_is_named() -> None:
    config = SourceConfig(kind="machine", paths=("python-docs",), documents=20)
    found = list(read_source("local", config, seed=5))
    assert {row.domain for row in found if isinstance(row, Document)} == {"python-docs"}
    assert len(found) == 20
    assert {row.licence for row in found if isinstance(row, Document)} == {"PSF-2.0"}
    with pytest.raises(RecipeError, match="python-dox") as caught:
        list(read_source("local", SourceConfig(kind="machine", paths=("python-dox",)), seed=5))
    assert "python-docs" in caught.value.hint
