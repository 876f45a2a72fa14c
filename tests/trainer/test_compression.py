"""Compressed students are what they say: packed as the server unpacks, cut where little is lost, small where claimed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from corpus.errors import RecipeError
from tests.trainer.conftest import texts
from trainer.compression.constrained import STORED
from trainer.compression.factorise import low_rank, share_layers
from trainer.compression.heal import heal
from trainer.compression.prune import prune
from trainer.compression.quantise import (
    integers,
    is_quantised,
    linear_layers,
    load_quantised,
    pack_nibbles,
    quantise,
    unpack_nibbles,
)
from trainer.compression.routes import compress, measure, stored_bytes
from trainer.config import StudentConfig
from trainer.gguf_file import write_gguf
from trainer.loss import StudentLoss
from trainer.model import build
from trainer.packing import TokenShards
from trainer.train import train


@pytest.fixture(scope="module")
def student(shards: TokenShards, tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = StudentConfig.model_validate({
        "vocab_size": 320, "model": {"layers": 4, "d_model": 64, "heads": 2, "ff": 128, "context": 32}, "tokens": 60 * 256,
        "batch_tokens": 256, "dtype": "float32", "track": ()})  # fmt: skip
    return train(config, shards.folder, tokenizer, tmp_path_factory.mktemp("student")).model


def loss(model: Any, shards: TokenShards) -> float:
    windows = torch.from_numpy(shards.tokens[: 33 * 40].reshape(40, 33).astype("int64"))
    with torch.no_grad():
        return StudentLoss(model, "float32")(windows[:, :-1], windows[:, 1:])[0].item() / (40 * 32)


def opened(student: Path) -> Any:
    from trainer.model import load_model

    return load_model(student)


@pytest.mark.parametrize("bits, most", [(8, 0.01), (4, 0.10)])
def test_fewer_bits_cost_little(student: Path, shards: TokenShards, tmp_path: Path, bits: int, most: float) -> None:
    before = loss(opened(student), shards)
    folder = quantise(opened(student), student, tmp_path / "small", bits)
    assert is_quantised(folder)
    assert not is_quantised(student)
    after = loss(load_quantised(folder), shards)
    assert before < 4.0, "it has learned something that can be lost"
    assert abs(after / before - 1) < most
    matrices = sum(layer.weight.numel() for layer in linear_layers(opened(student)).values())
    saved = (
        sum(item.numel() for item in opened(student).parameters()) * 2 - (folder / "model.safetensors").stat().st_size
    )
    assert saved > matrices * (2 - bits / 8) * 0.85 - 6000


def test_nibbles_are_packed_as_the_library_packs_them() -> None:
    helpers = pytest.importorskip("compressed_tensors.compressors.pack_quantized.helpers")
    whole = torch.randint(-8, 8, (6, 32), dtype=torch.int8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(pack_nibbles(whole), helpers.pack_to_int32(whole, 4))
    assert torch.equal(unpack_nibbles(pack_nibbles(whole)), whole)


def test_the_scale_has_the_least_error_of_those_tried() -> None:
    value = torch.randn(4, 64, generator=torch.Generator().manual_seed(3))
    value[0, 0] = 9.0  # an outlier that a scale by the largest value would give all its range to
    whole, scale = integers(value, 4, 32)
    mine = (whole.reshape(4, 2, 32) * scale[..., None]).reshape(4, 64)
    plain = value.reshape(4, 2, 32).abs().amax(-1, keepdim=True) / 7
    theirs = ((value.reshape(4, 2, 32) / plain).round() * plain).reshape(4, 64)
    assert (mine - value).square().sum() < (theirs - value).square().sum()


def windows_of(shards: TokenShards) -> torch.Tensor:
    return torch.from_numpy(shards.tokens[: 32 * 16].reshape(16, 32).astype("int64"))


def test_pruning_keeps_what_matters_and_leaves_an_ordinary_model(student: Path, shards: TokenShards) -> None:
    model = opened(student)
    with torch.no_grad():  # neurons and a layer that do nothing are the ones to go
        for layer in model.model.layers:
            layer.mlp.down_proj.weight[:, 32:96] = 0
        for part in (model.model.layers[2].self_attn.o_proj, model.model.layers[2].mlp.down_proj):
            part.weight.zero_()
    smaller = prune(model, windows_of(shards), layers=0.75, ff=0.5)
    assert (smaller.config.num_hidden_layers, smaller.config.intermediate_size) == (3, 64)
    assert loss(smaller, shards) == pytest.approx(loss(model, shards), abs=1e-4)


def test_heads_go_with_their_keys_and_values(config: StudentConfig, shards: TokenShards) -> None:
    shape = config.model.model_copy(update={"d_model": 128, "heads": 4, "kv_heads": 2})
    model = build(config.model_copy(update={"model": shape}), 320, 0)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight[:, :64] = 0  # the first two heads, which share the first key, write nothing
    smaller = prune(model, windows_of(shards), heads=0.5)
    assert (smaller.config.num_attention_heads, smaller.config.num_key_value_heads) == (2, 1)
    ids = windows_of(shards)
    with torch.inference_mode():
        assert torch.allclose(smaller(input_ids=ids).logits, model(input_ids=ids).logits, atol=1e-5)


def test_a_lower_rank_stores_less_and_loses_more_the_lower_it_is(student: Path, shards: TokenShards) -> None:
    before = loss(opened(student), shards)
    found = [(loss(model, shards), sum(item.numel() for item in stored.values()))
             for model, stored in (low_rank(opened(student), share) for share in (1.0, 0.7, 0.3))]  # fmt: skip
    losses, sizes = zip(*found, strict=True)
    assert before - 0.02 < losses[0] < losses[2]
    assert sizes[0] > sizes[1] > sizes[2]


def test_shared_layers_are_one_layer(student: Path) -> None:
    model, stored = share_layers(opened(student), 2)
    first, second, third = (model.model.layers[place].mlp.up_proj.weight for place in (0, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    assert {name.split(".")[2] for name in stored if ".layers." in name} == {"0", "2"}


@pytest.mark.parametrize("kind, most", [("F16", 1e-4), ("Q8_0", 0.01), ("Q4_0", 0.10)])
def test_a_gguf_file_holds_the_student(
    student: Path, shards: TokenShards, tmp_path: Path, kind: str, most: float
) -> None:
    """Read back by our reader, and in whole numbers by transformers', which turns the heads back as llama.cpp does."""
    folder = write_gguf(opened(student), student, tmp_path / "gguf", kind)
    assert abs(loss(opened(folder), shards) / loss(opened(student), shards) - 1) < most
    if kind == "F16":
        pytest.importorskip("accelerate")
        from transformers import AutoModelForCausalLM, GgufConfig

        theirs = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file="model.gguf", dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
        )
        ids = torch.randint(0, 300, (1, 20), generator=torch.Generator().manual_seed(1))
        with torch.inference_mode():
            here, there = (model(input_ids=ids).logits for model in (opened(folder), theirs))
        assert torch.allclose(here, there, atol=1e-4)


@pytest.mark.parametrize("route, amount, most", [
    ("bf16", 1, 1.0), ("int8", 1, 0.80), ("int8-all", 1, 0.57), ("int4", 1, 0.60), ("gguf-q8", 1, 0.62), ("prune-ff", 0.5, 0.85), ("prune-layers", 0.5, 0.65),
    ("low-rank", 0.5, 0.70), ("share-layers", 2, 0.65),
])  # fmt: skip
def test_every_route_leaves_a_student_that_can_be_scored_and_says_its_size(
    student: Path, tmp_path: Path, route: str, amount: float, most: float
) -> None:
    whole = compress(student, "bf16", tmp_path / "whole")
    found = compress(student, route, tmp_path / "small", amount=amount, texts=texts(40))
    assert found.bytes <= most * whole.bytes
    assert 0 < measure(tmp_path / "small", texts(3))["bits_per_byte"] < 8
    assert json.loads((tmp_path / "small" / "compression.json").read_text())["route"] == route


@pytest.mark.parametrize("route, amount", [("low-rank", 0.4), ("share-layers", 2), ("prune-layers", 0.5)])
def test_healing_gives_back_some_of_the_loss_and_leaves_the_student_as_small(
    student: Path, tmp_path: Path, route: str, amount: float
) -> None:
    read, held, out = texts(60), texts(70)[60:], tmp_path / "small"
    found = compress(student, route, out, amount=amount, texts=read)
    lost = measure(out, held)["bits_per_byte"]
    curve = heal(out, route, read, 6_400)
    assert curve[-1][1] < curve[0][1]
    assert measure(out, held)["bits_per_byte"] < lost - 0.01
    assert stored_bytes(out) == pytest.approx(found.bytes, rel=0.01)
    assert json.loads((out / "compression.json").read_text())["route"] == route
    assert not (tmp_path / "small.healing").exists()


def test_a_healed_student_is_what_is_stored_of_it(student: Path, tmp_path: Path) -> None:
    """The matrices that a server loads are those of the factors, and layers that share are still one."""
    compress(student, "low-rank", tmp_path / "factors", amount=0.5)
    before = load_file(tmp_path / "factors" / STORED)
    heal(tmp_path / "factors", "low-rank", texts(60), 3_200)
    after, whole = load_file(tmp_path / "factors" / STORED), load_file(tmp_path / "factors" / "model.safetensors")
    name = "model.layers.1.mlp.up_proj"
    assert after.keys() == before.keys()
    assert not torch.equal(after[f"{name}.left"], before[f"{name}.left"])
    assert torch.allclose(
        after[f"{name}.left"].float() @ after[f"{name}.right"].float(), whole[f"{name}.weight"], atol=1e-6
    )
    compress(student, "share-layers", tmp_path / "shared", amount=2)
    heal(tmp_path / "shared", "share-layers", texts(60), 3_200)
    whole = load_file(tmp_path / "shared" / "model.safetensors")
    for name in [name for name in whole if ".layers.0." in name]:
        assert torch.equal(whole[name], whole[name.replace(".0.", ".1.")])
        assert not torch.equal(whole[name], whole[name.replace(".0.", ".2.")])


def test_what_has_few_bits_is_not_trained_on(student: Path, tmp_path: Path) -> None:
    compress(student, "int8", tmp_path / "small")
    with pytest.raises(RecipeError, match="int8 cannot be trained on"):
        heal(tmp_path / "small", "int8", texts(10), 100)


def test_what_cannot_be_done_is_said(student: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="3 bits: 8 or 4"):
        quantise(opened(student), student, tmp_path / "x", 3)
    with pytest.raises(RecipeError, match="no route 'zip'"):
        compress(student, "zip", tmp_path / "x")
    with pytest.raises(RecipeError, match="looks at text"):
        compress(student, "prune-ff", tmp_path / "x")
