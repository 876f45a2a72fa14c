"""A takedown leaves none of the text in a run, every check still holds, and a kill in the middle is completed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.errors import HornbookError, IncompleteError, RecipeError
from corpus.local_store import Disk, LocalStore
from corpus.manifest import load_manifest, table_of, verify_stage
from corpus.store import open_store
from ray_jobs import forget as forgetting
from ray_jobs.drive import STAGES, run
from ray_jobs.ending import write_report
from ray_jobs.forget import forget
from ray_jobs.publishing import publish_run
from ray_jobs.recipe import Recipe
from ray_jobs.replay import replay
from ray_jobs.resolve import resolve
from ray_jobs.talk import Talk
from tests.end_to_end.test_reuse import asked, write_slots
from tests.fakes.fake_teacher import FakeTeacher


def pieces(run_place: Path) -> Iterator[str]:
    """Everything that a run's files hold, Parquet unpacked, JSON's escapes undone."""
    for path in run_place.rglob("*"):
        if path.suffix == ".parquet":
            yield repr(pq.read_table(path).to_pylist())
        elif path.is_file():
            yield path.read_bytes().decode("utf-8", "replace")


def found_in(run_place: Path, text: str) -> int:
    """Sentences of `text` that stand anywhere in the run."""
    sentences = [part for part in re.split(r"(?<=\.)\s+", text) if len(part) > 30]
    assert len(sentences) > 2
    whole = list(pieces(run_place))
    return sum(any(part in piece for piece in whole) for part in sentences)


def rows(recipe: Recipe, stage: str, kind: str = "documents") -> pa.Table:
    store = open_store(f"{recipe.store}/{recipe.label}/{stage}")
    manifest = load_manifest(store)
    assert manifest is not None
    return table_of(store, manifest, kind)


def sound(recipe: Recipe) -> None:
    """Every stage verifies and the dataset replays."""
    folder = open_store(f"{recipe.store}/{recipe.label}")
    for stage in STAGES:
        if load_manifest(folder.child(stage)):
            assert verify_stage(folder.child(stage)) == []
    assert all(made.same for made in replay(recipe))


@pytest.fixture
def done(recipe: Path, fake: FakeTeacher) -> Recipe:
    """A run that is complete up to the blend, with its report."""
    found = resolve(str(recipe), [], {}).recipe
    run(found, until="blend", talk=Talk(quiet=True))
    write_report(found)
    return found


def place_of(recipe: Recipe) -> Path:
    return Path(recipe.store) / recipe.label


def test_a_written_document_is_gone_from_every_file_and_its_slot_is_short_as_forgotten(
    done: Recipe, fake: FakeTeacher
) -> None:
    chosen, other = rows(done, "generate").slice(2, 2).to_pylist()
    assert found_in(place_of(done), chosen["text"]) > 2
    before = rows(done, "generate").num_rows
    told = forget(done, [chosen["id"][:12]], None)
    assert found_in(place_of(done), chosen["text"]) == 0
    assert found_in(place_of(done), other["text"]) > 2, "the search finds what is there"
    sound(done)
    assert rows(done, "generate").num_rows == before - told.slots
    manifest = load_manifest(open_store(place_of(done) / "generate"))
    assert manifest is not None
    assert manifest.facts["yield.short"]["values"]["forgotten"] == told.slots == 1
    assert manifest.generation == 1
    assert manifest.forgotten["documents"] == 1
    assert manifest.forgotten["replies"] >= 1
    assert any("published" in line for line in told.unreached)
    sent = fake.counts()["requests"]
    run(done, until="blend", talk=Talk(quiet=True))
    assert fake.counts()["requests"] == sent, "the slot is not asked again"


def test_a_source_is_gone_with_its_copies_and_scores(done: Recipe) -> None:
    texts = rows(done, "read")["text"].to_pylist()
    told = forget(done, [], "web")
    assert told.documents >= len(texts)
    for text in texts[::8]:
        assert found_in(place_of(done), text) == 0
    assert rows(done, "read").num_rows == 0
    assert set(rows(done, "filter")["source"].to_pylist()) == {"synthetic"}
    assert rows(done, "score", "scores").num_rows == 0
    sound(done)


def test_a_copy_goes_with_the_text_that_it_copies(done: Recipe) -> None:
    copies = rows(done, "filter", "duplicates").to_pylist()
    assert copies, "the web pages hold two that are there twice"
    (text,) = (
        rows(done, "read").filter(pa.compute.equal(rows(done, "read")["id"], copies[0]["kept_id"]))["text"].to_pylist()
    )
    forget(done, [copies[0]["kept_id"]], None)
    assert found_in(place_of(done), text) == 0
    sound(done)


class Died(BaseException):
    """The process ends here."""


class Dying(Disk):
    """Dies before the n-th operation that changes what is visible."""

    def __init__(self, after: int) -> None:
        self.left = after

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Died

    def link(self, source: Path, target: Path) -> None:
        """Counted."""
        self._count()
        super().link(source, target)

    def rename(self, source: Path, target: Path) -> None:
        """Counted, but for leases and reports."""
        if "lease" not in target.name:
            self._count()
        super().rename(source, target)

    def unlink(self, path: Path) -> None:
        """Counted, but for temporaries."""
        if not path.name.startswith(".tmp-"):
            self._count()
        super().unlink(path)


def test_killed_anywhere_it_is_completed_by_the_same_command_and_blocks_the_run_until_then(
    done: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    home, kept = place_of(done), tmp_path / "kept"
    shutil.copytree(home, kept)
    chosen = rows(done, "generate").slice(4, 1).to_pylist()[0]
    steps, step = [], 0
    while True:
        shutil.rmtree(home)
        shutil.copytree(kept, home)
        disk = Dying(step)
        with monkeypatch.context() as patch:
            patch.setattr(forgetting, "run_folder", lambda recipe, disk=disk: LocalStore(home, disk))
            try:
                forget(done, [chosen["id"]], None)
                break
            except Died:
                steps.append(step)
        begun = any((home / "forgotten").glob("*.json")) and not any((home / "forgotten").glob("*.done"))
        if begun:
            with pytest.raises(IncompleteError, match="takedown"):
                run(done, until="blend", talk=Talk(quiet=True))
        forget(done, [] if begun else [chosen["id"]], None)
        assert found_in(home, chosen["text"]) == 0, f"killed at operation {step}"
        sound(done)
        step += 6 if os.environ.get("HORNBOOK_EVERY") is None else 1
    assert len(steps) > 2


def test_before_the_stage_is_complete_the_journal_forgets_and_the_slot_stays_empty(
    tmp_path: Path, tokenizer: Path
) -> None:
    recipe_file = write_slots(tmp_path, tokenizer, documents=30)
    with FakeTeacher() as fake:
        with pytest.raises(HornbookError):
            asked(recipe_file, fake, "limits.tokens=5000")
        given = [f"teacher.endpoints=['{fake.url}']"]
        found = resolve(str(recipe_file), given, {}).recipe
        from ray_jobs.planning import plan_for
        from ray_jobs.stored import stored_of

        folder = open_store(place_of(found))
        document = next(iter(stored_of(plan_for(found, folder), folder).book.documents.values()))
        assert found_in(place_of(found), document.text) > 2
        forget(found, [document.id], None)
        assert found_in(place_of(found), document.text) == 0
        asked(recipe_file, fake)
    assert rows(found, "generate").num_rows == 29
    assert found_in(place_of(found), document.text) == 0
    sound(found)


def test_unknown_ids_and_sources_are_named(done: Recipe) -> None:
    with pytest.raises(RecipeError, match="0 documents"):
        forget(done, ["zzzz"], None)
    with pytest.raises(RecipeError, match="no document of a source"):
        forget(done, [], "nowhere")
    with pytest.raises(RecipeError, match="nothing is named"):
        forget(done, [], None)


def test_nothing_is_published_while_a_takedown_is_open(done: Recipe, tmp_path: Path) -> None:
    from ray_jobs.tombstones import FOLDER, Order

    open_store(place_of(done)).child(FOLDER).commit("000000.json", Order(("x",)).to_bytes())
    with pytest.raises(IncompleteError, match="takedown"):
        publish_run(done, None, tmp_path / "out")
