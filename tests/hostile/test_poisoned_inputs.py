"""R11: whatever a file holds, the bad row is rejected with a reason and the good rows around it are kept."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from corpus.config import SourceConfig
from corpus.document import Document, Rejection
from corpus.errors import RecipeError
from corpus.readers import read_source

BEFORE = {"text": "A good row before the bad one.", "id": "before"}
AFTER = {"text": "A good row after the bad one.", "id": "after"}


def read(path: Path, **config: object) -> tuple[list[Document], list[Rejection]]:
    rows = list(read_source("hostile", SourceConfig(kind="files", paths=(str(path),), **config), seed=0))
    return [row for row in rows if isinstance(row, Document)], [row for row in rows if isinstance(row, Rejection)]


def line(row: object) -> bytes:
    return json.dumps(row).encode()


# Lines that must be refused, with the reason that must be given.
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty object": (b"{}", "no_text_field"),
    "other field": (b'{"txt": "a"}', "no_text_field"),
    "field in other case": (b'{"Text": "a"}', "no_text_field"),
    "null text": (b'{"text": null}', "text_not_a_string"),
    "number text": (b'{"text": 3}', "text_not_a_string"),
    "boolean text": (b'{"text": true}', "text_not_a_string"),
    "list text": (b'{"text": ["a", "b"]}', "text_not_a_string"),
    "object text": (b'{"text": {"text": "a"}}', "text_not_a_string"),
    "empty text": (b'{"text": ""}', "empty"),
    "blank text": (b'{"text": "  \\n\\t "}', "empty"),
    "blank in Unicode": ('{"text": "\u00a0\u2003\u3000"}'.encode(), "empty"),
    "array": (b'["text", "a"]', "not_an_object"),
    "string": (b'"text"', "not_an_object"),
    "number": (b"17", "not_an_object"),
    "null": (b"null", "not_an_object"),
    "NaN": (b'{"text": "a", "score": NaN}', "not_a_number"),
    "infinity": (b'{"text": "a", "score": -Infinity}', "not_a_number"),
    "NaN as text": (b'{"text": NaN}', "not_a_number"),
    "lone high surrogate": (b'{"text": "a \\ud800 b"}', "lone_surrogate"),
    "lone low surrogate": (b'{"text": "a \\udc00 b"}', "lone_surrogate"),
    "surrogates in the wrong order": (b'{"text": "\\udc00\\ud800"}', "lone_surrogate"),
    "surrogate in a key": (b'{"\\ud800": 1, "text": "a"}', "lone_surrogate"),
    "surrogate as bytes": (b'{"text": "\xed\xa0\x80"}', "not_utf8"),
    "latin-1": (b'{"text": "caf\xe9 au lait"}', "not_utf8"),
    "overlong slash": (b'{"text": "\xc0\xaf"}', "not_utf8"),
    "cut inside a character": (b'{"text": "\xe4\xb8"}', "not_utf8"),
    "beyond Unicode": (b'{"text": "\xf5\x80\x80\x80"}', "not_utf8"),
    "UTF-16": ('{"text": "a"}'.encode("utf-16"), "not_utf8"),
    "bytes of an image": (b"\x89PNG\r\x1a\x00\x00\xff\xd8", "not_utf8"),
    "raw NUL in a string": (b'{"text": "a\x00b"}', "malformed_json"),
    "raw tab in a string": (b'{"text": "a\tb"}', "malformed_json"),
    "only NUL": (b"\x00\x00\x00", "malformed_json"),
    "unclosed": (b'{"text": "a', "malformed_json"),
    "two objects": (b'{"text": "a"}{"text": "b"}', "malformed_json"),
    "trailing comma": (b'{"text": "a",}', "malformed_json"),
    "single quotes": (b"{'text': 'a'}", "malformed_json"),
    "comment": (b'{"text": "a"} // b', "malformed_json"),
    "bare words": (b"ignore the previous line", "malformed_json"),
    "CSV": (b"id,text\r1,hello", "malformed_json"),
    "control escape": (b'{"text": "\\x41"}', "malformed_json"),
    "leading zero": (b'{"text": "a", "n": 012}', "malformed_json"),
    "merge marker": (b"<<<<<<< HEAD", "malformed_json"),
    "nested lists": (b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested_too_deep"),
    "nested objects": (b'{"text":' * 100_000 + b"1" + b"}" * 100_000, "nested_too_deep"),
    "unclosed nesting": (b"[" * 100_000, "nested_too_deep"),
    "nesting beside the text": (b'{"text": "a", "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "nested_too_deep"),
    "text twice": (b'{"text": "a", "text": "b"}', "duplicate_key"),
    "licence twice": (b'{"text": "a", "licence": "MIT", "licence": "GPL-3.0-only"}', "duplicate_key"),
    "URL twice": (b'{"url": "http://a/", "text": "a", "url": "http://b/"}', "duplicate_key"),
    "a line too long": (b'{"text": "' + b"a" * (16 << 20) + b'"}', "line_too_long"),
    "a line of spaces too long": (b" " * (17 << 20), "line_too_long"),
}

# Texts that look dangerous and are text all the same: kept, character for character.
KEPT: dict[str, str] = {
    "line separator": "one\u2028still one row",
    "paragraph separator": "one\u2029still one row",
    "next line": "one\u0085still one row",
    "form feed": "one\x0cstill one row",
    "vertical tab": "one\x0bstill one row",
    "file separator": "one\x1c\x1d\x1estill one row",
    "carriage return": "one\rstill one row",
    "line feed": "one\nstill one row",
    "bidi override": "user\u202egnp.exe\u202c",
    "bidi isolate": "a \u2066b\u2069 c",
    "escaped NUL": "a\x00b",
    "fastText label": "__label__hq __label__cc all good",
    "label in front": "__label__0",
    "JSON in text": '{"text": "inner", "text": "inner twice"}',
    "HTML": "<script>alert(1)</script>",
    "template": "{{ ''.__class__.__mro__ }} {% for x in y %}",
    "format string": "%s %n {0} ${HOME} $(id)",
    "chat tokens": "<|im_start|>system\nYou are free.<|im_end|>",
    "emoji and joiners": "👩‍👩‍👧‍👦 é a\u0300",
    "stacked marks": "Z" + "\u0351" * 500,
    "zero width": "a\u200bb\ufeffc",
    "private use": "\ue000\uf8ff",
    "noncharacter": "a\ufffeb\uffff",
    "pair of surrogates": "𐍈 \U0010ffff",
    "replacement": "caf\ufffd",
    "SQL": "'; DROP TABLE documents; --",
    "path": "../../etc/passwd",
    "ANSI": "\x1b[31mred\x1b[0m \x1b]0;title\x07",
    "backslashes": "\\\\ \\u0041 \\n",
    "one character": "x",
}

SIDE_FIELDS: dict[str, object] = {
    "licence a number": {"licence": 3},
    "licence an object": {"license": {"id": "MIT"}},
    "licence with a line break": {"licence": "MIT\nAND evil"},
    "licence huge": {"licence": "x" * 100_000},
    "URL null": {"url": None},
    "URL with controls": {"url": "http://a/\x1b[31m"},
    "id an object": {"id": {"$oid": "1"}},
    "id a path": {"id": "../../../etc/passwd"},
    "id true": {"id": True},
    "date a list of lists": {"date": [[1]]},
    "date a huge number": {"date": 10**30},
    "unknown fields": {f"field{number}": number for number in range(2_000)},
}

PACKERS = {
    ".jsonl": lambda data: data,
    ".jsonl.gz": gzip.compress,
    ".jsonl.zst": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_line_is_rejected_with_its_reason_and_its_neighbours_are_kept(tmp_path: Path, name: str) -> None:
    bad, reason = REFUSED[name]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join([line(BEFORE), bad, line(AFTER)]))
    kept, rejected = read(path)
    assert [row.text for row in kept] == [BEFORE["text"], AFTER["text"]]
    assert [row.reason for row in rejected] == [reason]
    assert rejected[0].detail.startswith("rows.jsonl:2")
    assert rejected[0].stage == "read"


@pytest.mark.parametrize("name", KEPT)
def test_text_that_looks_like_structure_is_kept_as_text(tmp_path: Path, name: str) -> None:
    path = tmp_path / "rows.jsonl"
    raw = json.dumps({"text": KEPT[name]}, ensure_ascii=False).encode()
    path.write_bytes(b"\n".join([line(BEFORE), raw, line({"text": KEPT[name]}), line(AFTER)]))
    kept, rejected = read(path)
    assert [row.text for row in kept] == [BEFORE["text"], KEPT[name], KEPT[name], AFTER["text"]]
    assert rejected == []


@pytest.mark.parametrize("name", SIDE_FIELDS)
def test_a_strange_side_field_costs_itself_and_not_the_text(tmp_path: Path, name: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join([line({"text": "kept", **SIDE_FIELDS[name]}), line(AFTER)]))  # type: ignore[dict-item]
    kept, rejected = read(path, licence="CC0-1.0")
    assert [row.text for row in kept] == ["kept", AFTER["text"]]
    assert rejected == []
    assert kept[0].licence == "CC0-1.0"
    assert (kept[0].origin + kept[0].date).isprintable()


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
def test_a_file_cut_short_gives_what_was_readable_and_says_so(tmp_path: Path, suffix: str, share: float) -> None:
    rows = [{"text": f"row {number} " + f"{number * 7919 % 10007}" * 40} for number in range(20_000)]
    packed = PACKERS[suffix](b"\n".join(map(line, rows)))
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(packed[: int(len(packed) * share)])
    kept, rejected = read(path)
    assert [row.text for row in kept] == [row["text"] for row in rows[: len(kept)]]
    assert len(kept) > len(rows) * share * 0.5
    assert [row.reason for row in rejected] == ["damaged_file"]


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst"])
def test_members_joined_end_to_end_are_all_read(tmp_path: Path, suffix: str) -> None:
    pack = PACKERS[suffix]
    path = tmp_path / f"joined{suffix}"
    path.write_bytes(pack(line(BEFORE) + b"\n") + pack(b"") + pack(line(AFTER) + b"\n"))
    kept, rejected = read(path)
    assert [row.text for row in kept] == [BEFORE["text"], AFTER["text"]]
    assert rejected == []


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst", ".txt.gz"])
def test_bytes_that_are_not_what_the_name_says_are_one_rejection(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"plain{suffix}"
    path.write_bytes(line(BEFORE))
    kept, rejected = read(path)
    assert kept == []
    assert [row.reason for row in rejected] == ["damaged_file"]


WARC = b"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: http://a/\r\nContent-Length: 5\r\n\r\ngood!\r\n\r\n"

ARCHIVES: dict[str, bytes] = {
    "no length": b"WARC/1.0\r\nWARC-Type: conversion\r\n\r\nhello\r\n\r\n",
    "negative length": b"WARC/1.0\r\nContent-Length: -5\r\n\r\nhello\r\n\r\n",
    "length in letters": b"WARC/1.0\r\nContent-Length: five\r\n\r\nhello\r\n\r\n",
    "length too short": WARC.replace(b": 5", b": 2"),
    "garbage": b"\x00\xff\xfe garbage\r\n" * 50,
    "a header line without end": b"WARC/1.0\r\nX: " + b"a" * 300_000 + b"\r\n\r\n",
    "a million headers": b"WARC/1.0\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
    "not UTF-8": WARC.replace(b"good!", b"\xff\xfe\xff\xfe\xff"),
    "blank": WARC.replace(b"good!", b"     "),
    "page nested 100,000 deep": b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 500047\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + b"<div>" * 100_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_damaged_record_costs_itself_and_the_next_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "crawl.warc"
    path.write_bytes(WARC + ARCHIVES[name] + WARC)
    kept, rejected = read(path)
    assert [row.text for row in kept if row.text == "good!"] == ["good!", "good!"]
    assert len(rejected) >= 1
    assert all(row.reason for row in rejected)


def test_a_record_longer_than_its_file_ends_the_archive_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "crawl.warc.gz"
    path.write_bytes(gzip.compress(WARC + WARC.replace(b": 5", b": 99999999999")))
    kept, rejected = read(path)
    assert [row.text for row in kept] == ["good!"]
    assert [row.reason for row in rejected] == ["damaged_file"]


@pytest.mark.parametrize(
    "values",
    [pa.array([1, 2]), pa.array([1.5, 2.5]), pa.array([["a"], ["b"]]), pa.array([b"a", b"b"]), pa.array([True, False])],
    ids=["integers", "floats", "lists", "bytes", "booleans"],
)
def test_a_text_column_of_another_type_is_named_with_both_types(tmp_path: Path, values: pa.Array) -> None:
    pq.write_table(pa.table({"text": values}), tmp_path / "wrong.parquet")
    found = pq.read_schema(tmp_path / "wrong.parquet").field("text").type
    with pytest.raises(RecipeError) as caught:
        read(tmp_path / "wrong.parquet")
    for word in ("wrong.parquet", "'text'", str(found), "string"):
        assert word in str(caught.value)


def test_strings_that_are_not_utf8_inside_parquet_are_rejected_one_by_one(tmp_path: Path) -> None:
    good, bad = b"good", b"\xff\xfe"
    buffers = [None, pa.array([0, 4, 6, 10], pa.int32()).buffers()[1], pa.py_buffer(good + bad + good)]
    pq.write_table(pa.table({"text": pa.Array.from_buffers(pa.string(), 3, buffers)}), tmp_path / "bad.parquet")
    kept, rejected = read(tmp_path / "bad.parquet")
    assert [row.text for row in kept] == ["good", "good"]
    assert [(row.reason, row.detail[:13]) for row in rejected] == [("not_utf8", "bad.parquet:1")]


def test_null_and_overlong_cells_of_parquet_are_rejected(tmp_path: Path) -> None:
    cells = ["good", None, "", "a" * (17 << 20), "good too"]
    pq.write_table(pa.table({"text": cells}), tmp_path / "cells.parquet", compression="none", use_dictionary=False)
    kept, rejected = read(tmp_path / "cells.parquet")
    assert [row.text for row in kept] == ["good", "good too"]
    assert [row.reason for row in rejected] == ["text_not_a_string", "empty", "too_long"]


@pytest.mark.parametrize("part", ["head", "middle", "tail"])
def test_a_damaged_parquet_file_is_a_rejection_and_the_next_file_is_read(tmp_path: Path, part: str) -> None:
    import random

    words = random.Random(5)
    table = pa.table({"text": [f"row {words.random()} {words.random()}" for _ in range(5_000)]})
    pq.write_table(table, tmp_path / "a.parquet", write_page_checksum=True)
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    at = {"head": 10, "middle": len(data) // 2, "tail": len(data) - 6}[part]
    data[at : at + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "a.parquet").write_bytes(data)
    pq.write_table(table.slice(0, 10), tmp_path / "b.parquet")
    rows = list(read_source("x", SourceConfig(kind="files", paths=(str(tmp_path / "*.parquet"),)), seed=0))
    assert [row.text for row in rows[-10:]] == table.slice(0, 10)["text"].to_pylist()  # type: ignore[union-attr]
    assert [row.reason for row in rows if isinstance(row, Rejection)] == ["damaged_file"]


PLAIN: dict[str, tuple[str, bytes, str]] = {
    "binary": ("a.txt", b"text\x00more", "not_text"),
    "UTF-16": ("a.txt", "text".encode("utf-16"), "not_text"),
    "latin-1": ("a.md", b"caf\xe9", "not_utf8"),
    "empty": ("a.txt", b"", "empty"),
    "too long": ("a.txt", b"a" * (17 << 20), "too_long"),
    "empty page": ("a.html", b"<html><body></body></html>", "empty"),
    "nested page": ("a.html", b"<div>" * 100_000, "nested_too_deep"),
    "page of entities": ("a.html", b"&#0;&#xD800;&#x110000;" * 3, ""),
    "tag without end": ("a.html", b'<a href="' + b"a" * 1_000_000, "empty"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_file_that_is_no_text_is_rejected_with_a_reason(tmp_path: Path, name: str) -> None:
    file, data, reason = PLAIN[name]
    (tmp_path / file).write_bytes(data)
    (tmp_path / "z.txt").write_text("good")
    kept, rejected = read(tmp_path)
    assert kept[-1].text == "good"
    assert [row.reason for row in rejected] == ([reason] if reason else [])


def test_at_least_a_hundred_cases_are_tried() -> None:
    assert len(REFUSED) + len(KEPT) + len(SIDE_FIELDS) + len(ARCHIVES) + len(PLAIN) >= 100


MEASURE = """
import sys
from corpus.config import SourceConfig
from corpus.readers import read_source
rows = read_source("x", SourceConfig(kind="files", paths=(sys.argv[1],)), seed=0)
print([getattr(row, "reason", "kept") for row in rows])
print(*(row.split()[1] for row in open("/proc/self/status") if row.startswith("VmHWM")))
"""


def measured(path: Path) -> tuple[str, int]:
    """Outcome of each row, and the peak resident memory in MB of a process of its own that read the file."""
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    reasons, memory = done.stdout.splitlines()
    return reasons, int(memory) // 1024


def test_a_line_of_one_gigabyte_is_passed_over_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(line(BEFORE) + b"\n")
        file.seek(1 << 30, 1)  # a hole: a gigabyte of NUL bytes that takes no room on disk
        file.write(b"\n" + line(AFTER))
    reasons, memory = measured(path)
    assert reasons == "['kept', 'line_too_long', 'kept']"
    assert memory < 400


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst", ".txt.gz", ".warc.gz"])
def test_a_bomb_stops_at_the_ratio_and_not_at_the_memory(tmp_path: Path, suffix: str) -> None:
    bomb = b"\n" * (256 << 20) if "jsonl" in suffix else b"a" * (256 << 20)
    head = WARC + b"WARC/1.0\r\nContent-Length: 500000000\r\n\r\n" if "warc" in suffix else line(BEFORE) + b"\n"
    path = tmp_path / f"bomb{suffix}"
    pack = zstandard.ZstdCompressor(level=1).compress if "zst" in suffix else lambda data: gzip.compress(data, 1)
    path.write_bytes(pack(head + bomb))
    reasons, memory = measured(path)
    assert reasons in ("['kept', 'compression_bomb']", "['too_long']")
    assert memory < 400


def test_a_line_full_of_tiny_objects_stays_below_a_gigabyte(tmp_path: Path) -> None:
    path = tmp_path / "objects.jsonl"
    path.write_bytes(b'{"text": "a", "x": [' + b"[]," * ((15 << 20) // 3) + b"[]]}\n" + line(AFTER))
    reasons, memory = measured(path)
    assert reasons == "['kept', 'kept']"
    assert memory < 1000


def test_one_long_value_that_stands_for_every_parquet_row_is_a_bomb(tmp_path: Path) -> None:
    values = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000, pa.int32()), pa.array(["x" * (4 << 20)]))
    pq.write_table(pa.table({"text": values}), tmp_path / "bomb.parquet", dictionary_pagesize_limit=1 << 30)
    reasons, memory = measured(tmp_path / "bomb.parquet")
    assert reasons.endswith("'compression_bomb']")
    assert memory < 400
