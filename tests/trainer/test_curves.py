"""Curves go where the recipe says: Weights & Biases is imported when it is asked for, and missed with a word what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from corpus.errors import IncompleteError, SetupError
from tests.fakes import wandb_module
from trainer.config import StudentConfig
from trainer.packing import TokenShards
from trainer.train import train


def test_a_student_that_goes_on_is_the_same_run_there_with_every_step_once(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = wandb_module.install(monkeypatch)
    both = config.model_copy(update={"track": ("tensorboard", "wandb")})
    steps: list[int] = []
    with pytest.raises(IncompleteError):
        train(both, shards.folder, tokenizer, tmp_path / "out", should_stop=lambda: steps.append(0) or len(steps) == 7)  # type: ignore[func-returns-value]
    result = train(both, shards.folder, tokenizer, tmp_path / "out")
    first, second = runs
    assert first.settings["id"] == second.settings["id"]
    assert first.settings["resume"] == "allow"
    assert first.settings["name"] == "out"
    assert first.settings["config"]["model"]["layers"] == 2
    assert [step for run in runs for step, _ in run.points] == list(range(1, 13))
    assert [point["loss/nats_per_token"] for run in runs for _, point in run.points] == [
        loss for _, loss in result.curve
    ]
    assert all(run.finished for run in runs), "also the one that was stopped"
    assert (tmp_path / "out" / "tensorboard").is_dir()


def test_nothing_is_imported_or_written_that_is_not_asked_for(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = wandb_module.install(monkeypatch)
    train(config.model_copy(update={"track": ()}), shards.folder, tokenizer, tmp_path / "out")
    assert not runs
    assert not (tmp_path / "out" / "tensorboard").exists()


@pytest.mark.parametrize("missing", [True, False])
def test_a_missing_package_and_a_missing_key_are_named_with_what_helps(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    missing: bool,
) -> None:  # fmt: skip
    if missing:
        monkeypatch.setitem(sys.modules, "wandb", None)
    else:
        wandb_module.install(monkeypatch, refuses="No API key configured")
    asked = config.model_copy(update={"track": ("wandb",)})
    with pytest.raises(SetupError, match="wandb is not installed" if missing else "No API key") as found:
        train(asked, shards.folder, tokenizer, tmp_path / "out")
    assert ("pip install wandb" if missing else "WANDB_MODE=offline") in str(found.value.hint)


def test_the_real_package_writes_a_run_without_a_key_offline(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb", reason="pip install wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    train(config.model_copy(update={"track": ("wandb",)}), shards.folder, tokenizer, tmp_path / "out")
    (run,) = (tmp_path / "out" / "wandb").glob("offline-run-*")
    assert b"loss/nats_per_token" in next(run.glob("*.wandb")).read_bytes()
