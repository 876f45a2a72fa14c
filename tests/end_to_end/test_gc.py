"""gc takes what no manifest names and nothing else, and keeps its hands off a run that somebody works on."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.errors import RecipeError
from corpus.lease import Lease
from corpus.manifest import load_manifest, verify_stage
from corpus.shards import write_partition
from corpus.store import open_store
from ray_jobs.collect import find_waste, remove
from ray_jobs.drive import STAGES, run
from ray_jobs.recipe import Recipe
from ray_jobs.replay import replay
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.end_to_end.test_reuse import asked, write_slots
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.stored_runs import journal_replies, reply_to


@pytest.fixture
def done(tmp_path: Path, tokenizer: Path) -> Recipe:
    """A run that is complete up to its filter, and one more version that never ended."""
    path = write_slots(tmp_path, tokenizer, documents=20)
    with FakeTeacher() as fake:
        asked(path, fake, until="filter")
        found = resolve(str(path), [f"teacher.endpoints=['{fake.url}']"], {}).recipe
    journal_replies(open_store(found.store), "slots@2", [reply_to("key-1")])
    return found


def whole(recipe: Recipe) -> None:
    """Every stage verifies and replays."""
    folder = open_store(f"{recipe.store}/{recipe.label}")
    assert [verify_stage(folder.child(stage)) for stage in STAGES if load_manifest(folder.child(stage))] == [[], []]
    assert all(made.same for made in replay(recipe))


def test_it_lists_first_then_frees_what_no_manifest_names_and_the_run_stays_whole(done: Recipe) -> None:
    home = Path(done.store) / "slots@1"
    orphan = write_partition(open_store(home / "filter"), "documents", 7, pa.table({"id": ["x"]}))
    old, young = home / "filter/.tmp-old", home / "filter/.tmp-young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    waste = find_waste(done)
    names = {item.name for item in waste}
    assert {f"filter/{orphan.name}", "filter/.tmp-old", "generate/waves/000000.json"} <= names
    assert any(name.startswith("generate/journal/") for name in names)
    assert all((home / name).exists() for name in names), "listing removes nothing"
    assert {item.run for item in waste} == {"slots@1"}, "the journal of a run that never ended is needed"
    size = sum((home / name).stat().st_size for name in names)
    assert remove(done, waste) == (size, [])
    assert not any((home / name).exists() for name in names)
    assert young.exists()
    assert list((Path(done.store) / "slots@2/generate/journal").glob("*.seg"))
    whole(done)
    assert find_waste(done) == []
    run(done, until="filter", talk=Talk(quiet=True))


def test_a_segment_with_a_reply_that_the_dataset_lacks_stays(done: Recipe) -> None:
    journal_replies(open_store(done.store), "slots@1", [reply_to("asked by an edited recipe")])
    remove(done, find_waste(done))
    left = [path.name for path in (Path(done.store) / "slots@1/generate/journal").iterdir()]
    assert sorted(name.split("-")[0] for name in left) == ["w0123", "w0123"], "the segment and its fence"


def test_a_run_that_is_worked_on_is_left_alone(done: Recipe) -> None:
    waste = find_waste(done)
    lease = Lease.acquire(open_store(Path(done.store) / "slots@1"))
    assert remove(done, waste) == (0, ["slots@1"])
    lease.release()
    assert find_waste(done) == waste


def test_a_version_goes_as_a_whole_only_when_it_is_named(done: Recipe) -> None:
    freed, busy = remove(done, find_waste(done, ["slots@2"]))
    assert freed > 0
    assert busy == []
    assert not (Path(done.store) / "slots@2").exists()
    whole(done)
    with pytest.raises(RecipeError, match="no run slots@9"):
        find_waste(done, ["slots@9"])
