"""What the kill tests measured: each appends its figures to one file, and `python -m tests.crash.figures` prints them
as the table of docs/reliability.md, or puts them there with `--write`."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from pathlib import Path

import orjson

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "bench" / "out" / "reliability.jsonl"
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- figures: python -m tests.crash.figures --write -->\n", "<!-- end of figures -->\n"
HEAD = ("what was killed", "kills", "slots or items", "lost", "repeated", "requests", "promised at most", "test")


def record(
    what: str,
    *,
    kills: int,
    items: int,
    lost: int,
    repeated: int,
    requests: int | None = None,
    bound: int | None = None,
) -> None:
    """Append the figures of the running test."""
    test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]
    row = {"test": test, "what": what, "kills": kills, "items": items, "lost": lost, "repeated": repeated,
           "requests": requests, "bound": bound}  # fmt: skip
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with FILE.open("ab") as file:
        file.write(orjson.dumps(row) + b"\n")


def table(rows: list[dict]) -> str:
    """Markdown; of several runs of one test the last counts, and the cases of one test are added up."""
    latest = {row["test"]: row for row in rows}
    groups: dict[str, list[dict]] = defaultdict(list)
    for test, row in latest.items():
        groups[test.partition("[")[0]].append(row)
    lines = [HEAD, ("---",) * len(HEAD), *(_line(test, group) for test, group in sorted(groups.items()))]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(test: str, group: list[dict]) -> tuple[str, ...]:
    sums = [_sum(group, name) for name in ("kills", "items", "lost", "repeated", "requests", "bound")]
    return group[0]["what"], *sums, f"`{test}`"


def _sum(group: list[dict], name: str) -> str:
    found = [row[name] for row in group if row[name] is not None]
    return f"{sum(found):,}" if found else ""


def written(page: str, figures: str) -> str:
    """The page with another table between its two marks."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{figures}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    figures = table([orjson.loads(line) for line in FILE.read_bytes().splitlines()])
    print(figures)
    if "--write" in sys.argv:
        PAGE.write_text(written(PAGE.read_text("utf-8"), figures), "utf-8")
