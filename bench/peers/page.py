"""The measured tables of docs/benchmarks.md, from `bench/out/*.jsonl`: `python -m bench.peers.page [--write]`.

Of an arm's runs the table shows the median and the span from least to most, so that noise is seen. Ratios are of runs
of one round, with a 95 % t-interval of the geometric mean.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from bench.orchestration import interval
from bench.peers.catalogue import ARMS, ENVIRONMENTS, ROOT
from bench.peers.install import why_not
from bench.peers.run import OUT

PAGE = ROOT / "docs" / "benchmarks.md"
Row = dict[str, Any]


def marks(name: str) -> tuple[str, str]:
    """What stands before and after a table."""
    return f"<!-- {name}: python -m bench.peers.page --write -->\n", f"<!-- end of {name} -->\n"


def rows_of(name: str) -> list[Row]:
    """The lines of a file of results; none when nothing was measured."""
    path = OUT / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table, or a word that there is none yet."""
    if not lines:
        return "*Not measured yet.*"
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *lines])


def spread(rows: Sequence[Row], key: str, form: str) -> str:
    """Median (least to most)."""
    values = sorted(row[key] for row in rows)
    middle = format(statistics.median(values), form)
    return middle if len(values) == 1 else f"{middle} ({values[0]:{form}} to {values[-1]:{form}})"


def by_arm(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Whole runs only, in the catalogue's order; what did not finish is told apart."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["rows"] == row["requests"]:
            found[row["arm"]].append(row)
    return {name: found[name] for name in ARMS if name in found}


def instant(rows: Sequence[Row]) -> str:
    """Speed and cost against the endpoint that answers at once."""
    mine = [row for row in rows if not row["delay_s"]]
    lines = []
    for count in sorted({row["requests"] for row in mine}):
        for name, runs in by_arm([row for row in mine if row["requests"] == count]).items():
            lines.append([
                ARMS[name].what, f"{count:,}", str(len(runs)), spread(runs, "rate", ",.0f"), spread(runs, "cpu_per_1000", ".2f"),
                spread(runs, "job_cpu_per_1000", ".2f"), spread(runs, "startup_s", ".1f"), spread(runs, "peak_mib", ",.0f"),
                str(max(row["processes"] for row in runs)), spread(runs, "load", ".0f"),
            ])  # fmt: skip
    head = (
        "who asks",
        "rows",
        "runs",
        "requests/s",
        "CPU-s per 1,000",
        "whole job's",
        "start-up, s",
        "peak MiB",
        "processes",
        "load",
    )
    return markdown(head, lines)


def window(rows: Sequence[Row]) -> str:
    """How full the window is when every reply takes a while."""
    lines = []
    for name, runs in by_arm([row for row in rows if row["delay_s"]]).items():
        asked = runs[0]["window"]
        ideal = asked / runs[0]["delay_s"]
        lines.append([
            ARMS[name].what, f"{runs[0]['requests']:,}", str(len(runs)), str(max(row["most_in_flight"] for row in runs)),
            spread(runs, "mean_while_filling", ".1f"), f"{statistics.median(row['mean_while_filling'] for row in runs) / asked:.1%}",
            f"{statistics.median(row['rate'] for row in runs) / ideal:.0%}", spread(runs, "cpu_per_1000", ".2f"), spread(runs, "load", ".0f"),
        ])  # fmt: skip
    head = (
        "who asks",
        "rows",
        "runs",
        "most in flight",
        "mean in flight",
        "of the window",
        "of the ideal rate",
        "CPU-s per 1,000",
        "load",
    )
    return markdown(head, lines)


def served(rows: Sequence[Row]) -> str:
    """Tokens a second of one server, and Hornbook's ratio to each."""
    whole = by_arm([row for row in rows if row["rate"]])
    ours = {row["round"]: row["rate"] for row in whole.get("hornbook", [])}
    lines = []
    for name, runs in whole.items():
        pairs = [ours[row["round"]] / row["rate"] for row in runs if row["round"] in ours]
        looks, supplied = (sum(row["full"][key] for row in runs) for key in ("looks", "supplied"))
        mean = sum(row["full"]["mean_running"] * row["full"]["looks"] for row in runs) / max(1, looks)
        lines.append([
            ARMS[name].what, str(len(runs)), spread(runs, "rate", ",.0f"), _ratio(name, pairs),
            f"{supplied / max(1, looks):.1%} of {looks:,}", f"{mean:.1f}", spread(runs, "job_s", ".0f"), spread(runs, "job_cpu_s", ".1f"), spread(runs, "load", ".0f"),
        ])  # fmt: skip
    head = ("who asks", "rounds", "tokens/s", "Hornbook's rate ÷ its rate (95 %)", "looks that found work for all places",
            "running on average", "whole job, s", "its CPU-s", "load")  # fmt: skip
    return markdown(head, lines)


def _ratio(name: str, pairs: Sequence[float]) -> str:
    if name == "hornbook":
        return "1"
    if len(pairs) < 2:
        return "too few rounds"
    mean, low, high = interval(pairs)
    return f"{mean:.3f} ({low:.3f} to {high:.3f})"


def faults(rows: Sequence[Row]) -> str:
    """The last run of each case and arm."""
    latest = {(row["arm"], row["case"]): row for row in rows}
    lines = [
        [ARMS[arm].what, case, f"{row['rows']:,} of {row['requests']:,}", str(row["repeated"]), f"{row['received']:,}",
         f"{row['job_s']:.0f}", "; ".join(row["failures"]) or "none"]
        for (arm, case), row in latest.items()
    ]  # fmt: skip
    return markdown(("who asks", "faults", "rows out", "twice", "requests received", "job, s", "failures named"), lines)


def used(rows: Sequence[Row]) -> str:
    """The versions that the results hold, and who could not be installed."""
    latest = {row["arm"]: row["versions"] for row in rows}
    lines = [
        [ARMS[name].what, ", ".join(f"{key} {value}" for key, value in latest[name].items())]
        for name in ARMS
        if name in latest
    ]
    lines += [
        [item.name, "not installed: " + why_not(item).strip().splitlines()[-1]]
        for item in ENVIRONMENTS
        if why_not(item)
    ]
    return markdown(("who asks", "versions"), lines)


TABLES: dict[str, tuple[tuple[str, ...], Callable[[Sequence[Row]], str]]] = {
    "served": (("served",), served),
    "instant": (("instant",), instant),
    "window": (("instant",), window),
    "faults": (("faults",), faults),
    "versions": (("instant", "served"), used),
}
"""Each table: the files that it reads, and who writes it."""


def written(page: str, name: str, table: str) -> str:
    """The page with another table between the marks of that name."""
    begin, end = marks(name)
    before, found, rest = page.partition(begin)
    return f"{before}{begin}\n{table}\n\n{end}{rest.partition(end)[2]}" if found else page


def main() -> None:
    """Print the tables, or put them into the page."""
    page = PAGE.read_text("utf-8") if PAGE.exists() else ""
    for name, (files, draw) in TABLES.items():
        table = draw([row for file in files for row in rows_of(file)])
        print(f"{name}\n\n{table}\n")
        page = written(page, name, table)
    if "--write" in sys.argv:
        PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
