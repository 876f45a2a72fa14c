"""The whole line over real files, with a teacher whose every word is known beforehand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from corpus.errors import StateError
from corpus.manifest import load_manifest
from corpus.store import open_store
from ray_jobs.drive import run
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.teacher_server import Fault

ROOT = Path(__file__).parents[2]


def drive(recipe: Path, *settings: str):  # type: ignore[no-untyped-def]
    return run(resolve(str(recipe), settings, {}).recipe, talk=Talk(quiet=True))


def slots_on_disk(folder: Path) -> list[str]:
    """Slot ids of what was kept or rejected, read from the raw Parquet and not through our own reader."""
    kept = [
        row["slot_id"]
        for path in (folder / "generate/documents").glob("*.parquet")
        for row in pq.read_table(path)["lineage"].to_pylist()
    ]
    return sorted(kept)


def test_every_document_is_kept_or_rejected_with_a_reason_at_every_stage(recipe: Path) -> None:
    manifests = drive(recipe).manifests
    for manifest in manifests.values():
        manifest.balance.check(manifest.stage)
    assert manifests["read"].balance.made == 44
    assert manifests["read"].balance.rejected == 1
    reasons = manifests["filter"].reasons
    assert reasons["duplicate.exact"] == 2
    assert any("sensitive" in name or name == "api_key" for name in reasons)
    taken = manifests["read"].balance.kept + manifests["generate"].balance.kept
    assert manifests["filter"].balance.taken == taken
    assert sum(reasons.values()) == manifests["filter"].balance.rejected


def test_a_second_run_sends_no_request_and_changes_no_file(recipe: Path, fake: FakeTeacher) -> None:
    drive(recipe)
    folder = recipe.parent / "runs" / "small@1"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    sent = fake.counts()["paths"]["completions"]
    drive(recipe)
    assert fake.counts()["paths"]["completions"] == sent == 24
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_the_same_recipe_makes_the_same_dataset(recipe: Path) -> None:
    first = drive(recipe).manifests
    again = drive(recipe, f"store={recipe.parent}/elsewhere").manifests
    assert again["filter"].dataset_hash == first["filter"].dataset_hash
    assert again["filter"].fingerprint == first["filter"].fingerprint


def test_a_changed_recipe_under_the_same_version_is_refused(recipe: Path) -> None:
    drive(recipe)
    with pytest.raises(StateError, match="documents: 24 → 25"):
        drive(recipe, "generate.documents=25")


def test_a_flipped_byte_in_any_committed_file_is_found(recipe: Path) -> None:
    from corpus import shards
    from corpus.manifest import verify_stage

    drive(recipe)
    folder = recipe.parent / "runs" / "small@1"
    found = 0
    for path in sorted(folder.rglob("*.parquet")):
        whole = path.read_bytes()
        path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
        shards._verified.clear()
        found += bool(verify_stage(open_store(path.parents[1])))
        path.write_bytes(whole)
    assert found == len(list(folder.rglob("*.parquet"))) > 5


def test_a_server_error_a_broken_body_and_a_cut_stream_cost_no_slot(recipe: Path, fake: FakeTeacher) -> None:
    fake.set_faults(Fault("500"), Fault("broken_json", skip=2), Fault("reset", skip=4))
    made = drive(recipe).manifests["generate"]
    assert made.totals["slots"] == 24
    assert not {"server_error", "malformed", "connection"} & set(made.reasons)


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_driver_loses_and_repeats_nothing(recipe: Path, seed: int, tmp_path: Path, fake: FakeTeacher) -> None:
    """SIGKILL at several instants of generation; then the same command ends with the uninterrupted run's slots."""
    whole = drive(recipe, f"store={tmp_path}/whole").manifests["filter"]
    sent = fake.counts()["paths"]["completions"]
    command = [sys.executable, "-m", "ray_jobs.cli.main", "run", str(recipe), "--set", f"store={tmp_path}/killed"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    time.sleep(1.6 + 0.5 * seed)
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = drive(recipe, f"store={tmp_path}/killed").manifests["filter"]
    assert again.dataset_hash == whole.dataset_hash
    ids = slots_on_disk(tmp_path / "killed" / "small@1")
    assert ids == slots_on_disk(tmp_path / "whole" / "small@1")
    assert max(Counter(ids).values()) == 1
    in_flight, unwritten = 8, 8  # on their way when it died, and answered within the last 50 ms
    assert fake.counts()["paths"]["completions"] - sent <= 24 + in_flight + unwritten


def test_ctrl_c_drains_commits_and_ends_with_130(recipe: Path, tmp_path: Path) -> None:
    with FakeTeacher(delay_s=0.4) as slow:
        command = [
            sys.executable,
            "-m",
            "ray_jobs.cli.main",
            "run",
            str(recipe),
            "--set",
            f"teacher.endpoints=['{slow.url}']",
            "--set",
            "teacher.concurrency=2",
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
        journal = tmp_path / "runs/small@1/generate/journal"
        for _ in range(300):
            if journal.is_dir() and any(path.stat().st_size for path in journal.iterdir()):
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 130, said
        assert "the same command goes on" in said
        manifest = load_manifest(open_store(tmp_path / "runs/small@1/read"))
        assert manifest is not None
        assert load_manifest(open_store(tmp_path / "runs/small@1/generate")) is None


def test_ctrl_c_stops_a_training_at_once_and_it_goes_on_from_its_checkpoint(
    recipe: Path, tmp_path: Path, fake: FakeTeacher
) -> None:
    recipe.write_text(
        recipe.read_text("utf-8")
        + "student: {tokens: 1_000_000, vocab_size: 512, model: {context: 64}, batch_tokens: 256, checkpoint_every: 100000}\n",
        "utf-8",
    )
    command = [
        sys.executable,
        "-m",
        "ray_jobs.cli.main",
        "run",
        str(recipe),
        "--set",
        f"teacher.endpoints=['{fake.url}']",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    students, progress = tmp_path / "runs/small@1/train/students", tmp_path / "runs/small@1/progress.json"
    told: dict = {}
    end = time.monotonic() + 150
    while told.get("stage") != "train" and process.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
        told = orjson.loads(progress.read_bytes()) if progress.is_file() else {}
    assert 0 < told["done"] < told["total"] == 3_000_000, "the training told how far it was"
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=100)[1]
    assert process.returncode == 130, said
    assert list(students.glob("*/step-*/checkpoint.json")), "nothing was saved"
    assert load_manifest(open_store(tmp_path / "runs/small@1/train")) is None


def test_two_drivers_on_one_run_do_not_meet(recipe: Path, tmp_path: Path) -> None:
    from corpus.lease import Lease

    Lease.acquire(open_store(tmp_path / "runs" / "small@1"))
    with pytest.raises(StateError, match="is working on this run"):
        drive(recipe)


def test_students_are_trained_and_measured_on_text_that_none_has_seen(recipe: Path) -> None:
    recipe.write_text(
        recipe.read_text("utf-8")
        + "student: {tokens: 4096, vocab_size: 512, model: {context: 64}, batch_tokens: 512}\n",
        "utf-8",
    )
    done = drive(recipe)
    fact = done.manifests["evaluate"].facts["arms"]
    assert [row[0] for row in fact["rows"]] == ["raw", "filtered", "filtered + synthetic"]
    from corpus.report import render_report

    curves = done.manifests["train"].facts["loss.source"]
    assert "synthetic" in curves["series"]
    assert len(curves["series"]) > 1
    assert curves["title"] in render_report("small", done.manifests)
    store = open_store(recipe.parent / "runs" / "small@1").child("blend")
    manifest = done.manifests["blend"]
    from corpus.manifest import table_of

    held = set(table_of(store, manifest, "held_out")["id"].to_pylist())
    read = set(table_of(store, manifest, "mix")["id"].to_pylist())
    assert held
    assert not held & read
