"""The comparison with other tools counts what it says: windows of time, rounds, rows, and nobody's table but its own."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.orchestration import Look
from bench.peers import page
from bench.peers.catalogue import ADAPTERS, ARMS, ENVIRONMENTS
from bench.peers.run import job_for, rows_of
from bench.peers.served import prompts_of, span
from bench.peers.tree import Cost

ROOT = Path(__file__).resolve().parents[2]


def test_time_runs_from_the_first_request_seen_to_the_last_finished():
    looks = [Look(0, 0, 5, 100, 0.0), Look(0, 0, 5, 100, 1.0), Look(2, 1, 5, 110, 2.0), Look(1, 0, 7, 150, 3.0),
             Look(0, 0, 8, 180, 4.0), Look(0, 0, 8, 180, 5.0)]  # fmt: skip
    assert span(looks, 3) == (2.5, 80)
    assert span(looks, 4) == (0.0, 0), "one request never came to its end"


def test_processor_time_of_a_window_is_cut_out_of_the_whole():
    cost = Cost(begun=10.0, ended=20.0, cpu_s=6.0, samples=[(12.0, 2.0), (16.0, 4.0)])
    assert cost.cpu_between(12.0, 16.0) == pytest.approx(2.0)
    assert cost.cpu_between(11.0, 18.0) == pytest.approx(5.0 - 1.0)
    assert cost.cpu_between(0.0, 30.0) == pytest.approx(6.0)


def test_a_child_that_leaves_its_parent_is_still_counted(tmp_path):
    """A daemon: the command starts a process that works on after the command has ended."""
    work = "import time; end = time.process_time() + .4\nwhile time.process_time() < end: pass"
    leave = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {work!r}], start_new_session=True)"
    out = tmp_path / "cost.json"
    command = [sys.executable, "-m", "bench.peers.tree", str(out), "--", sys.executable, "-c", leave]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    found = Cost(**json.loads(out.read_text()))
    assert found.code == 0
    assert found.cpu_s > 0.4
    assert found.outlived == 0


def test_what_does_not_end_is_ended_and_said(tmp_path):
    out, begun = tmp_path / "cost.json", time.monotonic()
    command = [sys.executable, "-m", "bench.peers.tree", str(out), "--limit", "1", "--", "sleep", "60"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    found = Cost(**json.loads(out.read_text()))
    assert (found.code, found.outlived) == (None, 1)
    assert time.monotonic() - begun < 30


def test_all_arms_of_a_round_are_given_the_same_prompts_and_no_two_rounds_share_one():
    assert prompts_of(1, 60) == prompts_of(1, 60)
    assert not set(prompts_of(0, 60)) & set(prompts_of(1, 60))
    assert len(set(prompts_of(0, 60))) == 60


def test_a_row_counts_once_and_only_with_a_text(tmp_path):
    job = job_for(ARMS["hornbook"], "http://x/v1", "m", ["a", "b", "c"], tmp_path, window=2)
    assert rows_of(job) == 0, "nothing was written"
    job.write([("row-0", "text"), ("row-0", "text"), ("row-1", "")])
    assert rows_of(job) == 1
    assert [row["prompt"] for row in job.rows] == ["a", "b", "c"]


def test_every_arm_has_its_script_and_every_environment_its_pins():
    assert all((ADAPTERS / arm.script).is_file() for arm in ARMS.values())
    for environment in ENVIRONMENTS:
        assert any("==" in pin for pin in environment.pins), f"{environment.name} is of no known version"


def test_delays_of_the_endpoint_are_spread_tenfold_about_their_mean():
    pytest.importorskip("uvloop")
    pytest.importorskip("httptools")
    from bench.peers.stub import Connection

    connection, delays = Connection(), []
    connection.delay_s, connection.spread = 0.5, True
    connection.seen.reset()
    for _ in range(2000):
        connection.seen.came()
        delays.append(connection._delay())
    assert statistics.fmean(delays) == pytest.approx(0.5, rel=0.01)
    assert 9.5 < max(delays) / min(delays) <= 10
    assert connection.seen.most == 2000


def test_a_run_that_lost_rows_is_in_no_median():
    whole = {"arm": "hornbook", "rows": 5, "requests": 5, "rate": 1.0}
    assert page.by_arm([whole, {**whole, "rows": 4, "rate": 9.0}]) == {"hornbook": [whole]}


def test_a_new_table_takes_the_place_of_its_own_and_of_no_other():
    begin, end = page.marks("served")
    other = "".join(page.marks("instant"))
    text = f"before\n{begin}\nold\n\n{end}between\n{other}"
    assert page.written(text, "served", "new") == f"before\n{begin}\nnew\n\n{end}between\n{other}"
    assert page.written(text, "window", "new") == text, "the page has no such table"


def test_the_page_has_a_place_for_every_table():
    text = (ROOT / "docs/benchmarks.md").read_text("utf-8")
    for name in page.TABLES:
        begin, end = page.marks(name)
        assert text.count(begin) == text.count(end) == 1, name
