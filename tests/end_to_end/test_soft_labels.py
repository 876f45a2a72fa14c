"""Soft labels of a run: in the same call as the text, equal to the server's, and at every token of the kept documents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer

from corpus.errors import IncompleteError
from corpus.manifest import load_manifest, table_of
from corpus.soft_labels import Labelled, read_labels, text_hash
from corpus.store import open_store
from ray_jobs.drive import run
from ray_jobs.resolve import resolve
from ray_jobs.student_publishing import publish_student
from ray_jobs.talk import Talk
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.teacher_text import reply_labels

K = 5


@pytest.fixture
def fake(tokenizer: Path) -> Iterator[FakeTeacher]:
    with FakeTeacher(tokenizer=tokenizer / "tokenizer.json") as server:
        yield server


def made(recipe: Path, *settings: str) -> tuple[list[Labelled], dict[str, str], dict]:
    run(resolve(str(recipe), settings, {}).recipe, until="generate", talk=Talk(quiet=True))
    store = open_store(recipe.parent / "runs" / f"small@{_version(settings)}" / "generate")
    manifest = load_manifest(store)
    assert manifest is not None
    documents = table_of(store, manifest, "documents")
    texts = dict(zip(documents["id"].to_pylist(), documents["text"].to_pylist(), strict=True))
    return list(read_labels(store, manifest)), texts, manifest.model_dump()


def _version(settings: tuple[str, ...]) -> str:
    return next((item.split("=")[1] for item in settings if item.startswith("version=")), "1")


def test_labels_come_in_the_same_call_equal_the_servers_and_decode_to_the_kept_texts(
    recipe: Path, fake: FakeTeacher, tokenizer: Path
) -> None:
    rows, texts, manifest = made(recipe, f"teacher.top_logprobs={K}")
    counts, totals = fake.counts(), manifest["totals"]
    assert counts["requests"] == totals["attempts"] == totals["requests"], "no call beside those for the text"
    assert totals["labelled"] == len(rows) == len(texts) > 15
    reader = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    for row in rows:
        text = texts[row.id]
        ids = row.labels.token_ids.tolist()
        assert reader.decode(ids, skip_special_tokens=False).encode() == text.encode()
        assert row.text_hash == text_hash(text)
        assert row.teacher == "fake-teacher@main"
        told_ids, told = reply_labels(text, K, reader, ended=False)
        assert told_ids[row.start : row.start + len(ids)] == ids
        for place, position in enumerate(told[row.start : row.start + len(ids)]):
            mine = dict(zip(row.labels.top_ids[place].tolist(), row.labels.top_logprobs[place], strict=True))
            theirs = {int(item["token"][9:]): np.float16(item["logprob"]) for item in position["top_logprobs"]}
            assert mine == theirs
            assert row.labels.logprobs[place] == np.float16(position["logprob"])
    fact = manifest["facts"]["soft_labels"]["rows"][0]
    assert fact[3] > 20 * fact[4], "bytes a token, before and after"
    assert fact[6] <= 8, "bytes an entry"


def test_journal_replies_and_documents_are_the_same_without_labels(recipe: Path) -> None:
    rows, texts, manifest = made(recipe)
    assert rows == []
    assert "labelled" not in manifest["totals"]
    assert "soft_labels" not in manifest["facts"]
    labelled, with_labels, _ = made(recipe, f"teacher.top_logprobs={K}", "version=2")
    assert with_labels == texts, "asking for labels changes no text"
    assert len(labelled) == len(texts)


def test_trimmed_and_continued_replies_keep_labels_that_decode_to_their_text(recipe: Path, tokenizer: Path) -> None:
    reader = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    for version, mode in (("3", "trim"), ("4", "continue")):
        rows, texts, manifest = made(
            recipe, f"teacher.top_logprobs={K}", f"generate.truncated={mode}", "generate.max_tokens=45",
            f"version={version}",
        )  # fmt: skip
        assert rows, mode
        for row in rows:
            said = reader.decode(row.labels.token_ids.tolist(), skip_special_tokens=False)
            assert said.encode() == texts[row.id].encode()
        dropped = manifest["facts"].get("soft_labels.dropped", {}).get("values", {})
        assert len(rows) + sum(dropped.values()) == len(texts)


def test_an_endpoint_that_names_tokens_by_text_is_refused_at_once(recipe: Path, tmp_path: Path) -> None:
    """The same recipe against a server without labels: it does not fill a dataset whose labels are missing."""
    with FakeTeacher() as bare, pytest.raises(IncompleteError, match="malformed"):
        made(
            recipe, f"teacher.top_logprobs={K}", f"teacher.endpoints=['{bare.url}']", "teacher.retries=0",
            "version=5", "generate.documents=2",
        )  # fmt: skip


def test_more_labels_are_asked_for_again_and_fewer_are_served_from_the_journal(recipe: Path, fake: FakeTeacher) -> None:
    made(recipe, f"teacher.top_logprobs={K}")
    folder, first = recipe.parent / "runs" / "small@1" / "generate", fake.counts()["requests"]
    _forget_outputs(folder)
    rows, _, _ = made(recipe, f"teacher.top_logprobs={K - 2}")
    assert fake.counts()["requests"] == first
    assert {row.labels.k for row in rows} == {K - 2}
    _forget_outputs(folder)
    rows, _, _ = made(recipe, f"teacher.top_logprobs={K + 2}")
    assert fake.counts()["requests"] == 2 * first
    assert {row.labels.k for row in rows} == {K + 2}


def _forget_outputs(folder: Path) -> None:
    """All but the journal and the waves."""
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).parts[0] not in ("journal", "waves"):
            path.unlink()


def test_the_filter_stage_counts_labels_that_still_hold(recipe: Path) -> None:
    drive = run(resolve(str(recipe), [f"teacher.top_logprobs={K}"], {}).recipe, talk=Talk(quiet=True))
    filtered, written = drive.manifests["filter"], drive.manifests["generate"]
    fact = filtered.facts["soft_labels.kept"]["rows"][0]
    labelled, lost = fact[0], sum(fact[2:])
    assert labelled + lost == written.totals["labelled"]
    assert labelled == filtered.totals["synthetic"], "nothing edits texts here, so every kept one has its labels"
    assert pq.read_table(next(iter((drive_folder(recipe) / "generate/soft_labels").iterdir()))).num_rows


def drive_folder(recipe: Path) -> Path:
    return recipe.parent / "runs" / "small@1"


def test_students_of_a_run_learn_from_its_labels_in_the_teachers_tokens(
    recipe: Path, fake: FakeTeacher, tokenizer: Path, tmp_path: Path
) -> None:
    student = "{vocab_size: 512, tokens: 4096, model: {context: 64}, batch_tokens: 512, tokenizer: teacher-trimmed, distil: {targets: unbiased}}"
    asking = recipe.read_text("utf-8").replace("concurrency: 8", f"concurrency: 8, top_logprobs: {K}")
    recipe.write_text(asking + f"student: {student}\n", "utf-8")
    done = run(resolve(str(recipe), (), {}).recipe, talk=Talk(quiet=True))
    home = recipe.parent / "runs" / "small@1" / "train"
    taught = [path.parents[1].name for path in home.glob("students/*/labels/labels.json")]
    assert taught == ["filtered-synthetic"], "the other arms read nothing that the teacher wrote"
    facts = orjson.loads((home / "students/filtered-synthetic/labels/labels.json").read_bytes())
    assert facts["teacher"] == "fake-teacher@main"
    assert facts["documents"] == done.manifests["train"].facts["labels.used"]["values"]["labelled"] > 0
    assert (home / "tokenizer" / "kept.npy").is_file()
    assert [row[0] for row in done.manifests["evaluate"].facts["arms"]["rows"]] == [
        "raw",
        "filtered",
        "filtered + synthetic",
    ]
    publish_student(home / "students/filtered-synthetic", tmp_path / "card", "", None, str(recipe), None, "MIT")
    card = (tmp_path / "card" / "README.md").read_text("utf-8")
    for told in (
        "data of the run `small`",
        "MIT (",
        "| blend |",
        "### Held-out bits per byte, by arm",
        "## Soft labels",
    ):
        assert told in card, told
