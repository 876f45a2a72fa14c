"""From a teacher in this process to a student that learned from it; a cache that does not fit its text is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from corpus.errors import RecipeError, StateError
from corpus.soft_labels import Labelled, TokenLabels, labels_table, text_hash
from generator.given_text import label_text, load_tokenizer
from generator.local_labels import LocalDraws, LocalScorer
from tests.trainer.conftest import texts
from trainer.beside import LocalDistributions
from trainer.config import StudentConfig
from trainer.fit import fit
from trainer.label_shards import lay_out
from trainer.lesson import Beside
from trainer.packing import pack
from trainer.taught import pack_taught, rows_of, trim_for
from trainer.tokenizer import train_tokenizer
from trainer.train import train

READ, LABELLED = texts(30), 12


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has read a little, with its tokenizer."""
    folder = tmp_path_factory.mktemp("teacher")
    tokenizer = train_tokenizer(texts(60), 500, folder / "tokenizer")
    config = StudentConfig.model_validate({
        "vocab_size": 500, "model": {"layers": 1, "d_model": 64, "heads": 2, "ff": 96, "context": 128}, "tokens": 16 * 512,
        "batch_tokens": 512, "dtype": "float32", "track": ()})  # fmt: skip
    return train(config, pack(texts(60), tokenizer, folder / "packed").folder, tokenizer, folder / "out").model


def labelled(teacher: Path, scorer: type[LocalScorer], k: int) -> list[Labelled]:
    tokenizer, start, name = load_tokenizer(teacher)
    reads = scorer(teacher, "t")
    rows = []
    for text in READ[:LABELLED]:
        found = label_text(text, tokenizer, start, reads, k)
        assert found is not None
        rows.append(Labelled(text, text_hash(text), "", 0, found, f"{reads.name}@given-text", name))
    return rows


def file_of(rows: list[Labelled], folder: Path) -> Path:
    pq.write_table(labels_table(rows), folder / "labels.parquet")
    return folder / "labels.parquet"


def distilling(**values: Any) -> StudentConfig:
    return StudentConfig.model_validate({
        "vocab_size": 500, "model": {"layers": 1, "d_model": 64, "heads": 2, "ff": 96, "context": 64}, "tokens": 12 * 256,
        "batch_tokens": 256, "dtype": "float32", "log_every": 1, "tokenizer": "teacher-trimmed", "track": (),
        "distil": {"targets": "tail", **values}})  # fmt: skip


@pytest.mark.parametrize("kind, scorer, k", [("tail", LocalScorer, 9), ("sampled", LocalDraws, 30)])
def test_a_student_learns_from_labels_and_the_layout_holds_what_was_labelled(
    teacher: Path, tmp_path: Path, kind: str, scorer: type[LocalScorer], k: int
) -> None:
    rows = labelled(teacher, scorer, k)
    files = [file_of(rows, tmp_path)]
    tokenizer = trim_for(teacher, READ, files, 500, tmp_path / "tokenizer")
    result = fit(distilling(targets=kind), READ, tokenizer, tmp_path / "out", labels=files)
    assert result.curve[-1][1] < result.curve[0][1] - 0.2
    shards = pack_taught(READ, files, tokenizer, tmp_path / "again")
    held = lay_out(rows_of(files, READ), shards, tokenizer, tmp_path / "held")
    first, row = int(shards.offsets[3]), rows[3].labels
    size = min(held.logs.shape[1], row.k)
    there = np.isfinite(held.logs[first : first + len(row), :size])
    assert there.sum() > 0.9 * np.isfinite(row.top_logprobs[:, :size]).sum(), (
        "the trimmed vocabulary keeps the likeliest"
    )
    assert (held.logs[first : first + len(row), :size][there] == row.top_logprobs[:, :size][there]).all()
    assert not np.isfinite(held.logs[int(shards.offsets[LABELLED]) :]).any(), "documents without labels have none"


def test_at_alpha_nothing_the_student_is_bit_for_bit_the_one_without_a_teacher(teacher: Path, tmp_path: Path) -> None:
    files = [file_of(labelled(teacher, LocalScorer, 9), tmp_path)]
    tokenizer = trim_for(teacher, READ, files, 500, tmp_path / "tokenizer")
    taught = fit(distilling(alpha=0.0), READ, tokenizer, tmp_path / "taught", labels=files)
    plain = distilling().model_copy(update={"distil": None, "packing": "documents"})
    alone = fit(plain, READ, tokenizer, tmp_path / "alone")
    assert (taught.model / "model.safetensors").read_bytes() == (alone.model / "model.safetensors").read_bytes()


def rolled(labels: TokenLabels, *fields: str) -> TokenLabels:
    return replace(labels, **{name: np.roll(getattr(labels, name), 1, axis=0) for name in fields})


def test_a_cache_that_does_not_belong_to_the_text_is_refused(teacher: Path, tmp_path: Path) -> None:
    rows = labelled(teacher, LocalScorer, 9)
    files = [file_of(rows, tmp_path)]
    tokenizer = trim_for(teacher, READ, files, 500, tmp_path / "tokenizer")
    shards = pack_taught(READ, files, tokenizer, tmp_path / "packed")

    def laid_out(row: Labelled) -> None:
        lay_out([(0, rows[0]), (1, row)], shards, tokenizer, tmp_path / "never")

    good = rows[1]
    whole = rolled(good.labels, "token_ids", "logprobs", "top_ids", "top_logprobs")
    with pytest.raises(StateError, match="off by one"):
        laid_out(replace(good, labels=whole))
    with pytest.raises(StateError, match="entries do not belong to their tokens"):
        laid_out(replace(good, labels=rolled(good.labels, "top_ids", "top_logprobs")))
    with pytest.raises(StateError, match="made with tokenizer other@0123"):
        laid_out(replace(good, tokenizer="other@0123456789ab"))
    with pytest.raises(StateError, match="of teacher someone, others are of t@given-text"):
        laid_out(replace(good, teacher="someone"))
    with pytest.raises(StateError, match=r"\d+ tokens for \d+ packed ones, the first difference at token"):
        laid_out(replace(good, labels=rows[2].labels))
    with pytest.raises(StateError, match="do not spell its text"):
        pack_taught(READ, [file_of([replace(good, labels=whole)], tmp_path)], tokenizer, tmp_path / "other")
    lay_out([(0, rows[0])], shards, tokenizer, tmp_path / "held")
    other = pack(READ[1:], tokenizer, tmp_path / "fewer")
    with pytest.raises(StateError, match="another packed corpus"):
        lay_out([], other, tokenizer, tmp_path / "held")


def test_targets_that_these_labels_cannot_be_are_refused(teacher: Path, tmp_path: Path) -> None:
    files = [file_of(labelled(teacher, LocalScorer, 9), tmp_path)]
    tokenizer = trim_for(teacher, READ, files, 500, tmp_path / "tokenizer")
    with pytest.raises(RecipeError, match="only for text that the teacher itself drew"):
        fit(distilling(targets="unbiased"), READ, tokenizer, tmp_path / "a", labels=files)
    with pytest.raises(RecipeError, match="labels hold the likeliest tokens"):
        fit(distilling(targets="sampled"), READ, tokenizer, tmp_path / "b", labels=files)
    with pytest.raises(RecipeError, match="needs soft labels"):
        fit(distilling(), READ, tokenizer, tmp_path / "c")


def test_a_teacher_beside_the_student_gives_its_own_distribution_in_the_students_tokens(
    teacher: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    tokenizer = trim_for(teacher, READ[:2], [], 420, tmp_path / "tokenizer")
    kept = np.load(tokenizer / "kept.npy")
    reads = LocalDistributions(teacher, tokenizer, 448, torch.device("cpu"))
    ids = torch.randint(10, len(kept), (2, 20), generator=torch.Generator().manual_seed(0))
    found = reads.logits(ids, None, None)(torch.tensor([0, 7, 25]))
    with torch.no_grad():
        whole = AutoModelForCausalLM.from_pretrained(teacher)(input_ids=torch.from_numpy(kept)[ids]).logits.flatten(
            0, 1
        )
    assert torch.allclose(found[:, : len(kept)], whole[[0, 7, 25]][:, kept.clip(min=0)], atol=1e-4)
    assert (found[:, len(kept) :] == -torch.inf).all()


def test_on_policy_steps_read_what_the_student_wrote_and_resume_alike(teacher: Path, tmp_path: Path) -> None:
    tokenizer = trim_for(teacher, READ, [], 500, tmp_path / "tokenizer")
    config = distilling(targets="full", loss="js", teacher=str(teacher), on_policy=0.5)
    once, twice = (fit(config, READ, tokenizer, tmp_path / name) for name in "ab")
    assert (once.model / "model.safetensors").read_bytes() == (twice.model / "model.safetensors").read_bytes()
    read: list[bool] = []
    reads, before = Beside.reads, Beside.reads

    def watched(self: Beside, batch: Any, step: int) -> Any:
        found = reads(self, batch, step)
        read.append(found is not batch)
        if read[-1]:
            half = batch.inputs.shape[1] // 2
            assert (found.inputs[:, :half] == batch.inputs[:, :half]).all()
            assert (found.targets[:, : half - 1] == -100).all()
            assert (found.targets[:, half - 1 :] >= 0).all()
        return found

    Beside.reads = watched  # type: ignore[method-assign]
    try:
        fit(config, READ, tokenizer, tmp_path / "c")
    finally:
        Beside.reads = before  # type: ignore[method-assign]
    assert 0 < sum(read) < len(read) == 12
