"""The page on reliability says what the tests measured and what the code holds."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from corpus.journal import JournalWriter
from corpus.lease import Lease
from ray_jobs.crew import AHEAD
from tests.crash.figures import BEGIN, END, HEAD, written

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reliability.md").read_text("utf-8")
TABLE = PAGE.partition(BEGIN)[2].partition(END)[0]
ROWS = [dict(zip(HEAD, (cell.strip() for cell in line.strip("| ").split(" | ")), strict=True))
        for line in TABLE.strip().splitlines()[2:]]  # fmt: skip


def number(cell: str) -> int:
    return int(cell.replace(",", ""))


def test_every_test_that_the_page_names_is_there() -> None:
    assert len(ROWS) >= 4
    for row in ROWS:
        path, _, name = row["test"].strip("`").partition("::")
        assert f"def {name}(" in (ROOT / path).read_text("utf-8"), row["test"]


def test_every_kill_test_of_the_soak_is_on_the_page() -> None:
    for path in [*ROOT.glob("tests/crash/test_*.py"), *ROOT.glob("tests/**/test_*_kills.py")]:
        if "mark.soak" in path.read_text("utf-8"):
            assert path.relative_to(ROOT).as_posix() in TABLE, f"the page does not show what {path.name} measures"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["what was killed"])
def test_every_figure_keeps_the_promise(row: dict[str, str]) -> None:
    assert number(row["kills"]) > 0
    assert (row["lost"], row["repeated"]) == ("0", "0")
    if row["requests"]:
        assert number(row["requests"]) <= number(row["promised at most"])


def test_the_numbers_of_the_promise_are_those_of_the_code() -> None:
    journal = inspect.signature(JournalWriter).parameters
    assert f"{AHEAD} × `teacher.concurrency`" in PAGE
    assert f"every {journal['sync_ms'].default} ms" in re.sub(r"\s+", " ", PAGE)
    assert f"{journal['seal_s'].default:.0f} s or {journal['seal_bytes'].default >> 20} MB" in re.sub(r"\s+", " ", PAGE)
    assert f"after {inspect.signature(Lease.acquire).parameters['ttl_s'].default:.0f} s" in PAGE
    assert "max_restarts=5" in (ROOT / "ray_jobs/crew.py").read_text("utf-8")
    assert "started again five times" in PAGE


def test_a_new_table_takes_the_place_of_the_old_and_of_nothing_else() -> None:
    again = written(PAGE, "| new |")
    assert written(again, TABLE.strip()) == PAGE
    assert again.count("| new |") == 1
