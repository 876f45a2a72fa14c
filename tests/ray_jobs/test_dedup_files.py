"""`hornbook filter dedup`: across files and languages, in bounded pieces, and the same after a kill at any moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.errors import RecipeError
from ray_jobs import dedup_files as verb
from tests.fakes.teacher_text import _recorded

Prose = Callable[..., str]
ROOT = Path(__file__).parents[2]
SLOW = """
import sys, time
from pathlib import Path
import filters.dedup, ray_jobs.dedup_files
sign = filters.dedup.sign_part
def slowly(*given, **named):
    time.sleep(0.2)
    return sign(*given, **named)
filters.dedup.sign_part, ray_jobs.dedup_files.PART_ROWS = slowly, 10
ray_jobs.dedup_files.dedup_files([sys.argv[1]], Path(sys.argv[2]), 0.8, "text")
"""  # many small parts, so that there is a moment between them


def written(path: Path, texts: list[str]) -> str:
    path.write_text("\n".join(json.dumps({"text": text}) for text in texts), "utf-8")
    return str(path)


def kept(path: Path) -> list[str]:
    return pq.read_table(path)["text"].to_pylist()


def killed_while_making(folder: Path, program: str, source: str, out: Path) -> None:
    """Run a program until it has made some of the twelve partitions of a folder, and end it with SIGKILL."""
    process = subprocess.Popen([sys.executable, "-c", program, source, str(out)], cwd=ROOT)
    try:
        end = time.monotonic() + 60
        while len(list(folder.glob("*.parquet"))) < 3 and time.monotonic() < end:
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert 3 <= len(list(folder.glob("*.parquet"))) < 12


@pytest.fixture(scope="module")
def english() -> list[str]:
    from tests.end_to_end.conftest import page

    return [page(number) + page(number + 1000) for number in range(60)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_written_text_that_copies_the_web_is_found(tmp_path: Path, english: list[str], language: str) -> None:
    pages = english[:20] if language == "en" else [text for text in _recorded() if len(text) > 120]
    other = " by the way, " if language == "en" else "顺便说一下"
    copies = [text[:60] + other + text[60:] for text in pages[:8]]
    web, synthetic = written(tmp_path / "web.jsonl", pages), written(tmp_path / "synthetic.jsonl", copies)
    out = tmp_path / "unique.parquet"
    told = verb.dedup_files([web, synthetic], out, 0.8, "text")
    alone = verb.dedup_files([web], tmp_path / "alone.parquet", 0.8, "text")
    assert len(kept(out)) == len(kept(tmp_path / "alone.parquet"))
    assert any("near copies" in line for line in told)
    assert any("92% at 0.80" in line for line in told), "the curve of 14 × 8"
    assert alone[0].endswith(f"{len(kept(out)):,} kept")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "alone.parquet", "synthetic.jsonl", "unique.parquet", "web.jsonl",
    ]  # fmt: skip


def test_what_was_begun_with_other_files_or_settings_is_not_gone_on_with(
    tmp_path: Path, english: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    web, out = written(tmp_path / "web.jsonl", [*english, english[0]]), tmp_path / "out.parquet"

    def dies(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(verb, "_write_kept", dies)
        with pytest.raises(KeyboardInterrupt):
            verb.dedup_files([web], out, 0.8, "text")
    assert not out.exists()
    assert (tmp_path / "out.parquet.work").is_dir()
    written(tmp_path / "web.jsonl", english[:10])
    verb.dedup_files([web], out, 0.8, "text")
    assert sorted(kept(out)) == sorted(english[:10])


def test_killed_in_the_middle_it_goes_on_to_the_same_result(
    tmp_path: Path, english: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    web = written(tmp_path / "web.jsonl", [text for text in english for _ in range(2)])
    out, work = tmp_path / "killed.parquet", tmp_path / "killed.parquet.work"
    killed_while_making(work / "signed", SLOW, web, out)
    assert not out.exists()
    monkeypatch.setattr(verb, "PART_ROWS", 10)
    for path in (out, tmp_path / "whole.parquet"):
        verb.dedup_files([web], path, 0.8, "text")
    assert out.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert len(kept(out)) == len(english)


def test_files_without_a_document_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no readable document"):
        verb.dedup_files([written(tmp_path / "web.jsonl", ["", " "])], tmp_path / "out.parquet", 0.8, "text")
