"""A larger student that begins as a smaller one: weights and layers tiled so that it computes the same (phi-2's route).

Width: the residual stream is its source k times over, so a matrix that reads it is split into k parts that sum to the
source's, and one that writes it is repeated; heads and feed-forward neurons are repeated likewise (Chen et al. 2016,
"Net2Net"). Equal parts would stay equal for ever, since their gradients are; so the split is uneven, drawn from a seed, and
the sum is exact. Depth: after each layer come copies of it whose outputs are zero (Gong et al. 2019 stack layers; a zero
output makes them the identity at first).
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch

from corpus.errors import RecipeError
from trainer.export import export
from trainer.model import load_model

UNEVEN = 0.5  # largest deviation of a part from 1 / k, as a share of it
WRITES = ("o_proj", "down_proj")
READS = ("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj")


def upscale(source: Path, out: Path, *, width: int = 1, depth: int = 1, seed: int = 0) -> Path:
    """Write a student of `width` times the source's width and `depth` times its layers into the folder `out`.

    Raises `RecipeError` for models other than of the Llama class, and where nothing would grow.
    """
    if width < 1 or depth < 1 or width * depth == 1:
        raise RecipeError(f"width {width}, depth {depth}: whole factors, at least one of them above 1")
    model = load_model(source)
    return export(grown(model, width, depth, seed), source, out)


def grown(model: Any, width: int, depth: int, seed: int) -> Any:
    """The larger model, float32."""
    from transformers import LlamaForCausalLM

    if model.config.model_type != "llama":
        raise RecipeError(f"a model of type {model.config.model_type} cannot be upscaled, only Llama")
    config = copy.deepcopy(model.config)
    config.head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    for name in ("hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads"):
        setattr(config, name, getattr(config, name) * width)
    config.num_hidden_layers *= depth
    larger: Any = LlamaForCausalLM(config).float()
    draw = torch.Generator().manual_seed(seed)
    values = {}
    for name, value in _stacked(model.state_dict(), depth).items():
        values[name] = _tiled(name, value, width, draw, tied=config.tie_word_embeddings)
    larger.load_state_dict(values)
    return larger


def _stacked(values: dict[str, torch.Tensor], depth: int) -> dict[str, torch.Tensor]:
    """Layer i at place depth · i, and after it its copies with zero outputs."""
    found = {}
    for name, value in values.items():
        parts = name.split(".")
        if "layers" not in parts:
            found[name] = value
            continue
        place = parts.index("layers") + 1
        for copied in range(depth):
            new = [*parts[:place], str(int(parts[place]) * depth + copied), *parts[place + 1 :]]
            silent = copied > 0 and any(part in WRITES for part in parts)
            found[".".join(new)] = torch.zeros_like(value) if silent else value
    return found


def _tiled(name: str, value: torch.Tensor, width: int, draw: torch.Generator, *, tied: bool) -> torch.Tensor:
    if width == 1:
        return value
    if value.ndim == 1:
        # The tied output reads the stream k times over, so the last norm hands it a k-th.
        return _split(value[None], width, draw)[0] if tied and name == "model.norm.weight" else value.repeat(width)
    if "embed_tokens" in name or (tied and "lm_head" in name):
        return value.repeat(1, width)
    if "lm_head" in name:
        return _split(value, width, draw)
    assert any(part in name for part in (*READS, *WRITES)), name
    return torch.cat([_split(value, width, draw) for _ in range(width)])


def _split(value: torch.Tensor, width: int, draw: torch.Generator) -> torch.Tensor:
    """[rows, columns] to [rows, width · columns] whose parts sum to it, none like another."""
    noise = torch.rand(width, *value.shape, generator=draw) * 2 - 1
    noise = (noise - noise.mean(0)) / 2  # within one of nothing, and summing to nothing
    shares = (1 + UNEVEN * noise) / width
    return torch.cat([value * share for share in shares], dim=1)
