"""The loss in parts is the loss; a document that is kept apart sees itself alone; any causal model can be trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from trainer import attention
from trainer import loss as parts_of_loss
from trainer.batches import IGNORED, Stream, gather
from trainer.config import StudentConfig
from trainer.loss import StudentLoss, linear_head
from trainer.model import build
from trainer.optimizers import split_parameters
from trainer.packing import TokenShards
from trainer.tokenizer import load_tokenizer
from trainer.train import train


def whole(model: Any, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    logits = model(input_ids=inputs).logits.float().flatten(0, 1)
    return torch.nn.functional.cross_entropy(logits, targets.flatten(), ignore_index=IGNORED, reduction="sum")


@pytest.mark.parametrize("tied", [True, False])
def test_the_loss_in_parts_has_the_value_and_gradient_of_the_whole(
    config: StudentConfig, tied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts_of_loss, "AT_ONCE", {"cpu": 64 * 320})  # more than one part, the last one shorter
    shape = config.model.model_copy(update={"tied": tied})
    model = build(config.model_copy(update={"model": shape}), 320, 0)
    draw = torch.Generator().manual_seed(0)
    inputs, targets = (torch.randint(0, 320, (3, 31), generator=draw) for _ in range(2))
    targets[0, 5:9] = IGNORED
    expected = whole(model, inputs, targets)
    gradients = torch.autograd.grad(expected, list(model.parameters()))
    found, parts = StudentLoss(model, "float32")(inputs, targets)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    assert parts.shape == (2, 3 * 31 - 4), "one for each target that counts"
    assert parts.sum(1).tolist() == [pytest.approx(expected.item(), rel=1e-6), 0.0]
    for here, there in zip(torch.autograd.grad(found, list(model.parameters())), gradients, strict=True):
        assert torch.allclose(here, there, rtol=1e-4, atol=1e-5)


def test_the_form_for_the_compiler_is_the_same_loss() -> None:
    logits, targets = torch.randn(7, 50) * 3, torch.randint(0, 50, (7,))
    (loss, gradient), (fused, same) = (
        parts_of_loss.cross_entropy(logits, targets),
        parts_of_loss.fused_cross_entropy(logits, targets),
    )
    assert torch.allclose(loss, fused)
    assert torch.allclose(gradient, same, atol=1e-6)


def test_a_document_kept_apart_is_read_as_if_it_were_alone(
    config: StudentConfig, shards: TokenShards, tokenizer: Path
) -> None:
    model = build(config, load_tokenizer(tokenizer).get_vocab_size(), shards.pack["eos"])
    batch = gather(shards, Stream(shards.pack["tokens"], 200).places(0, 0, 1), masked=True)
    assert batch.segments is not None
    assert batch.positions is not None
    mixed, _ = StudentLoss(model, "float32")(*map(torch.from_numpy, (
        batch.inputs, batch.targets, batch.positions, batch.segments)))  # fmt: skip
    alone = torch.tensor(0.0)
    for segment in np.unique(batch.segments):
        here = batch.segments[0] == segment
        alone += whole(model, *(torch.from_numpy(part[0][here])[None] for part in (batch.inputs, batch.targets)))
    assert len(np.unique(batch.segments)) > 2
    assert mixed.item() == pytest.approx(alone.item(), rel=1e-5)


@pytest.mark.parametrize("kv_heads", [1, 2])
@pytest.mark.parametrize("apart", [False, True])
def test_attention_by_matrix_products_computes_what_the_kernel_computes(
    config: StudentConfig, kv_heads: int, apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "BLOCK", 13)  # several blocks, the last one shorter
    model = build(config.model_copy(update={"model": config.model.model_copy(update={"kv_heads": kv_heads})}), 320, 0)
    with torch.no_grad():
        for value in model.parameters():
            value.mul_(3.0)
    ids = torch.randint(0, 320, (2, 31), generator=torch.Generator().manual_seed(4))
    segments = (torch.arange(30) // 11).expand(2, 30) if apart else None
    positions = (torch.arange(30) % 11).expand(2, 30) if apart else None
    losses, gradients = [], []
    for suited in (False, True):
        if suited:
            attention.suit_attention(model, 31, torch.device("cpu"))
        loss, _ = StudentLoss(model, "float32")(ids[:, :-1], ids[:, 1:], positions, segments)
        losses.append(loss.item())
        gradients.append(torch.autograd.grad(loss, model.model.layers[0].self_attn.q_proj.weight)[0])
    assert model.config._attn_implementation == attention.NAME
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert torch.allclose(*gradients, rtol=1e-3, atol=1e-4)
    with torch.inference_mode():  # and word by word, with what was computed before
        whole = model(input_ids=ids).logits[:, -1]
        first = model(input_ids=ids[:, :-1], use_cache=True)
        last = model(input_ids=ids[:, -1:], past_key_values=first.past_key_values, use_cache=True).logits[:, -1]
    assert torch.allclose(whole, last, atol=1e-3)


def other_architecture(folder: Path) -> Path:
    """A GPT-2 (learned positions, fused attention matrices, biases) as a folder of transformers."""
    from transformers import GPT2Config

    GPT2Config(vocab_size=320, n_embd=64, n_layer=2, n_head=2, n_positions=64).save_pretrained(folder)
    return folder


def test_another_architecture_is_trained_and_trained_on_from_what_came_of_it(
    config: StudentConfig, shards: TokenShards, tokenizer: Path, tmp_path: Path
) -> None:
    named = config.model_copy(update={"architecture": str(other_architecture(tmp_path / "shape"))})
    first = train(named, shards.folder, tokenizer, tmp_path / "first")
    assert first.curve[-1][1] < first.curve[0][1] - 0.2
    more = config.model_copy(update={"init": str(first.model), "seed": 1})
    second = train(more, shards.folder, first.model, tmp_path / "second")
    assert second.curve[0][1] < first.curve[0][1] - 0.2, "it begins where the first one ended"
    model = build(more, 320, 0)
    assert type(model).__name__ == "GPT2LMHeadModel"
    matrices, _ = split_parameters(model)
    assert len(matrices) == 2 * 4, "the tables of tokens and of positions are no matrices inside a block"


def test_a_model_whose_output_is_more_than_a_matrix_gets_its_logits_from_itself() -> None:
    from transformers import Gemma2Config, Gemma2ForCausalLM

    settings = Gemma2Config(vocab_size=64, hidden_size=32, intermediate_size=32, num_hidden_layers=1,
                            num_attention_heads=1, num_key_value_heads=1, head_dim=32, final_logit_softcapping=0.02)  # fmt: skip
    model = Gemma2ForCausalLM(settings)
    assert not linear_head(model)
    ids = torch.randint(0, 64, (2, 17), generator=torch.Generator().manual_seed(1))
    found, _ = StudentLoss(model, "float32")(ids[:, :-1], ids[:, 1:])
    assert found.item() == pytest.approx(whole(model, ids[:, :-1], ids[:, 1:]).item(), rel=1e-5)


def test_the_compiled_model_attends_without_a_mask_and_looks_positions_up(
    config: StudentConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled, transformers would make a mask of the whole square; blocks without one see earlier keys alone."""
    monkeypatch.setattr(attention, "BLOCK", 8)
    model = build(config, 320, 0)
    positions = torch.tensor([[3, 1, 4, 1, 5]])
    computed = model.model.rotary_emb(torch.zeros(1), positions)
    attention.suit_attention(model, 32, torch.device("cpu"))
    assert all(
        torch.equal(*pair) for pair in zip(computed, model.model.rotary_emb(torch.zeros(1), positions), strict=True)
    )
    graphs: list[str] = []

    def keep(graph: torch.fx.GraphModule, _: object) -> object:
        graphs.append(graph.code)
        return graph

    torch.compile(model.model, backend=keep)(input_ids=torch.arange(32)[None], use_cache=False)
    torch._dynamo.reset()
    whole = "".join(graphs)
    assert "softmax" in whole
    assert not any(word in whole for word in ("cos()", ".sin(", "new_ones", "cumsum"))
