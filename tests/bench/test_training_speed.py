"""The bench of a training step prints JSON alone, compares like with like, and tells what telling costs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bench.training_speed import Windows, config_of, our_round, telling, trainer_round, wider
from tests.trainer.conftest import texts
from trainer.batches import Stream, gather
from trainer.config import StudentConfig
from trainer.packing import TokenShards, pack
from trainer.tokenizer import train_tokenizer


@pytest.fixture
def small() -> StudentConfig:
    shape = {"layers": 1, "d_model": 64, "heads": 2, "ff": 64, "context": 32}
    return StudentConfig.model_validate(
        {"vocab_size": 320, "model": shape, "batch_tokens": 128, "optimizer": {"kind": "adamw"}}
    )


@pytest.fixture
def shards(tmp_path: Path) -> TokenShards:
    return pack(texts(60), train_tokenizer(texts(50), 320, tmp_path / "tokenizer"), tmp_path / "packed")


def test_rounds_of_both_sides_write_nothing_where_the_json_goes(
    small: StudentConfig, shards: TokenShards, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("accelerate", reason="Trainer needs it")
    size = shards.pack["vocab_size"]
    assert trainer_round(small, shards, size, "float32", tmp_path / "hf", 1)() > 0
    assert our_round(small, shards, size, "float32", False, 1)() > 0
    assert capsys.readouterr().out == ""


def test_trainer_reads_the_windows_that_ours_reads(small: StudentConfig, shards: TokenShards) -> None:
    theirs = Windows(small, shards, 2)
    ours = gather(shards, Stream(shards.pack["tokens"], 32).places(0, 1, small.windows), masked=False)
    assert len(theirs) == 8
    assert torch.equal(theirs[5]["input_ids"][:-1], torch.from_numpy(ours.inputs[1]))
    assert torch.equal(theirs[5]["labels"][1:], torch.from_numpy(ours.targets[1]))


def test_a_wider_model_is_the_same_but_for_its_width() -> None:
    tiny = config_of("tiny")
    found = wider(tiny, 512).model
    assert (found.d_model, found.heads, found.ff) == (512, 8, 1408)
    assert (found.layers, found.context) == (tiny.model.layers, tiny.model.context)


def test_telling_the_loss_by_source_costs_less_than_a_fiftieth_of_a_step(tmp_path: Path) -> None:
    config = config_of("tiny")
    from bench.training_speed import text

    tokenizer = train_tokenizer(text()[:80], config.vocab_size, tmp_path / "tokenizer")
    assert (
        telling(config, tokenizer, tmp_path / "several") < 0.02 * config.batch_tokens / 30_000
    )  # faster than a core trains this shape
