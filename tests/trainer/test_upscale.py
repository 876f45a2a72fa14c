"""An upscaled student computes what its source computes, and its tiled parts do not stay alike."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from corpus.errors import RecipeError
from trainer.config import StudentConfig
from trainer.export import export
from trainer.loss import StudentLoss
from trainer.model import build, load_model
from trainer.upscale import grown, upscale


def settled(config: StudentConfig, **shape: object) -> torch.nn.Module:
    model = build(config.model_copy(update={"model": config.model.model_copy(update=shape)}), 320, 0)
    with torch.no_grad():
        for value in model.parameters():  # a fresh model says next to nothing, and so would any error
            value.mul_(3.0) if value.ndim == 2 else value.uniform_(0.5, 1.5)
    return model


@pytest.mark.parametrize("width, depth", [(2, 1), (1, 2), (2, 2), (3, 1)])
@pytest.mark.parametrize("shape", [{}, {"tied": False}, {"heads": 2, "kv_heads": 1}])
def test_the_larger_one_computes_the_same(
    config: StudentConfig, width: int, depth: int, shape: dict[str, object]
) -> None:
    model = settled(config, **shape)
    larger = grown(model, width, depth, seed=0)
    ids = torch.randint(0, 320, (2, 24), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        here, there = (each(input_ids=ids).logits for each in (model, larger))
    assert here.abs().max() > 1
    assert torch.allclose(here, there, atol=2e-3, rtol=1e-3)
    assert larger.config.hidden_size == width * model.config.hidden_size
    assert larger.config.num_hidden_layers == depth * model.config.num_hidden_layers


def test_copies_learn_different_things(config: StudentConfig) -> None:
    larger = grown(settled(config), 2, 2, seed=0)
    ids = torch.randint(0, 320, (4, 33), generator=torch.Generator().manual_seed(2))
    StudentLoss(larger, "float32")(ids[:, :-1], ids[:, 1:])[0].backward()
    up = larger.model.layers[0].mlp.up_proj.weight.grad
    halves = up[: len(up) // 2], up[len(up) // 2 :]
    assert (halves[0] - halves[1]).norm() > 0.01 * up.norm()
    silent = larger.model.layers[1].mlp.down_proj.weight.grad
    assert silent.norm() > 0, "a copy that is silent at first can begin to speak"


def test_it_is_written_as_a_student_to_train_on(config: StudentConfig, tokenizer: Path, tmp_path: Path) -> None:
    source = export(settled(config), tokenizer, tmp_path / "source")
    larger = load_model(upscale(source, tmp_path / "larger", width=2))
    assert larger.config.num_attention_heads == 2 * config.model.heads
    assert larger.config.hidden_size // larger.config.num_attention_heads == larger.config.head_dim
    assert (tmp_path / "larger" / "tokenizer.json").read_bytes() == (source / "tokenizer.json").read_bytes()
    with pytest.raises(RecipeError, match="at least one of them above 1"):
        upscale(source, tmp_path / "same")
