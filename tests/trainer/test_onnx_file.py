"""An ONNX file computes what the student computes: whole prompts, several at once, and token by token with a past."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from corpus.errors import RecipeError, SetupError, StateError
from ray_jobs.student_files import export_student
from trainer import onnx_file
from trainer.config import StudentConfig
from trainer.model import load_model
from trainer.onnx_file import FILE, INPUTS, write_onnx
from trainer.packing import TokenShards
from trainer.train import train


@pytest.fixture(scope="module")
def student(shards: TokenShards, tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = StudentConfig.model_validate({
        "vocab_size": 320, "model": {"layers": 2, "d_model": 64, "heads": 2, "kv_heads": 1, "ff": 96, "context": 32},
        "tokens": 20 * 128, "batch_tokens": 128, "dtype": "float32", "track": ()})  # fmt: skip
    home = tmp_path_factory.mktemp("student")
    train(config, shards.folder, tokenizer, home)
    return home


def test_the_runtime_gives_the_students_logits_with_and_without_a_past(student: Path, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="pip install 'hornbook[onnx]'")
    folder = Path(export_student(student, tmp_path / "out", "onnx"))
    session = runtime.InferenceSession(folder / FILE)
    model = load_model(student / "model").eval()

    def read(ids: torch.Tensor, keys: np.ndarray, values: np.ndarray) -> list[np.ndarray]:
        return session.run(None, dict(zip(INPUTS, (ids.numpy(), keys, values), strict=True)))  # type: ignore[no-any-return]

    for batch, tokens in ((1, 32), (3, 17)):
        ids = torch.randint(0, 320, (batch, tokens), generator=torch.Generator().manual_seed(tokens))
        with torch.inference_mode():
            whole = model(input_ids=ids).logits.numpy()
        nothing = np.zeros((2, batch, 1, 0, 32), dtype=np.float32)
        assert np.abs(read(ids, nothing, nothing)[0] - whole).max() < 1e-3
        keys, values = nothing, nothing
        for place in range(tokens):
            logits, keys, values = read(ids[:, place : place + 1], keys, values)
            assert np.abs(logits[:, 0] - whole[:, place]).max() < 1e-3
    assert (folder / "tokenizer.json").read_bytes() == (student / "model" / "tokenizer.json").read_bytes()


def test_a_file_that_computes_something_else_is_not_left_there(
    student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime", reason="pip install 'hornbook[onnx]'")
    check = onnx_file._check

    def other(file: Path, turn: Any) -> None:
        with torch.no_grad():
            turn.model.model.norm.weight += 0.5
        check(file, turn)

    monkeypatch.setattr(onnx_file, "_check", other)
    with pytest.raises(StateError, match="a logit differs"):
        write_onnx(student / "model", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_missing_is_named_with_what_installs_it(
    student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(SetupError, match="onnxscript is not installed") as found:
        write_onnx(student / "model", tmp_path / "out")
    assert "hornbook[onnx]" in str(found.value.hint)
    with pytest.raises(RecipeError, match="no format 'pickle'"):
        export_student(student, tmp_path / "out", "pickle")
