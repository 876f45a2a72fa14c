"""Weights in 8 or 4 bits, in the layout that vLLM reads (compressed-tensors); embeddings and norms stay in bfloat16.

8 bits: a scale for each output, and activations rounded to 8 bits token by token as they come ("int-quantized", which
vLLM serves on GPUs and CPUs). 4 bits: a scale for each group of inputs, activations as they are ("pack-quantized").
With `embeddings` these are in 8 bits too: the smallest file, which vLLM does not read as it is; any other form can be made
of it again. Scales are those of least squared error among a few below the largest value. Opened here, weights are what the server's
arithmetic makes of them, and activations are rounded likewise, so a score is the score of what is served.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from corpus.errors import RecipeError
from trainer import files
from trainer.tokenizer import TOKENIZER, TOKENIZER_CONFIG

WEIGHTS, CONFIG = "model.safetensors", "config.json"
SERVED, OWN = "compressed-tensors", "hornbook-int8"  # by what name a configuration says who can read the weights
GROUP = 32  # inputs that share a scale in 4 bits; what every width of the presets is a multiple of
SHRINK = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)  # of the largest value: what lies above is cut off


def quantise(model: Any, tokenizer: Path, out: Path, bits: int, *, embeddings: bool = False) -> Path:
    """Write the folder `out`; `embeddings`: quantise them as well, in 8 bits. Raises `RecipeError` for other than 8 or 4 bits, or an input not a multiple of 32 in 4."""
    if bits not in (4, 8):
        raise RecipeError(f"{bits} bits: 8 or 4")
    linear = {f"{name}.weight" for name in linear_layers(model)}
    outside = {"model.embed_tokens.weight", "lm_head.weight"} if embeddings else set()
    tensors: dict[str, torch.Tensor] = {}
    for name, value in model.state_dict().items():
        if name == "lm_head.weight" and model.config.tie_word_embeddings:
            continue
        if name in linear:
            tensors |= _stored(name.removesuffix(".weight"), value, bits)
        elif name in outside:
            tensors |= _stored(name.removesuffix(".weight"), value, 8)
        else:
            tensors[name] = value.to(torch.bfloat16).contiguous()
    config = json.loads(model.config.to_json_string()) | {
        "quantization_config": _scheme(bits, OWN if embeddings else SERVED),
        "torch_dtype": "bfloat16",
        "use_cache": True,
    }
    config.setdefault("architectures", [type(model).__name__])
    config["architectures"] = config["architectures"] or [type(model).__name__]
    config.pop("dtype", None)
    with files.whole_folder(out, replace=True) as folder:
        save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
        (folder / CONFIG).write_text(json.dumps(config, indent=2), "utf-8")
        for name in (TOKENIZER, TOKENIZER_CONFIG):
            shutil.copyfile(tokenizer / name, folder / name)
    return out


def is_quantised(folder: Path) -> bool:
    """Whether `quantise` wrote this folder, or something like it."""
    file = folder / CONFIG
    return file.is_file() and _method(json.loads(file.read_text("utf-8"))) in (SERVED, OWN)


def load_quantised(folder: Path) -> Any:
    """The model as it is served, in float32: weights from their integers, activations rounded where the server does."""
    from transformers import AutoConfig, AutoModelForCausalLM

    whole = json.loads((folder / CONFIG).read_text("utf-8"))
    scheme = whole.pop("quantization_config")
    config = AutoConfig.for_model(**whole)
    model: Any = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    values = _restored(load_file(folder / WEIGHTS))
    if config.tie_word_embeddings:
        values["lm_head.weight"] = values["model.embed_tokens.weight"]
    model.load_state_dict(values)
    if scheme["format"] == "int-quantized":
        for layer in linear_layers(model).values():
            layer.register_forward_pre_hook(lambda _, given: (_rounded(given[0]), *given[1:]))
    return model


def linear_layers(model: Any) -> dict[str, torch.nn.Linear]:
    """The linear layers inside the blocks, by name."""
    head = model.get_output_embeddings()
    return {
        name: item for name, item in model.named_modules() if isinstance(item, torch.nn.Linear) and item is not head
    }


def integers(value: torch.Tensor, bits: int, group: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(int8 [rows, columns], scales [rows, columns / group]) of least squared error among shrunk ranges."""
    top = 2 ** (bits - 1) - 1
    parts = value.float().reshape(len(value), -1, group)
    largest = parts.abs().amax(-1, keepdim=True).clamp(min=1e-8)
    best = torch.full_like(largest, torch.inf)
    scale = largest / top
    for shrink in SHRINK:
        tried = (largest * shrink / top).to(torch.bfloat16).float()
        error = ((parts / tried).round().clamp(-top - 1, top) * tried - parts).square().sum(-1, keepdim=True)
        scale, best = torch.where(error < best, tried, scale), torch.minimum(error, best)
    whole = (parts / scale).round().clamp(-top - 1, top).to(torch.int8)
    return whole.reshape(value.shape), scale.squeeze(-1)


def pack_nibbles(whole: torch.Tensor) -> torch.Tensor:
    """Eight 4-bit integers in an int32, the first one lowest, each raised by 8; [rows, columns] to [rows, columns / 8]."""
    raised = (whole.to(torch.int32) + 8).reshape(len(whole), -1, 8)
    return (raised << (4 * torch.arange(8, dtype=torch.int32))).sum(-1).to(torch.int32)


def unpack_nibbles(packed: torch.Tensor) -> torch.Tensor:
    """What `pack_nibbles` packed."""
    found = (packed[..., None] >> (4 * torch.arange(8, dtype=torch.int32))) & 15
    return (found - 8).to(torch.int8).reshape(len(packed), -1)


def _stored(name: str, value: torch.Tensor, bits: int) -> dict[str, torch.Tensor]:
    if bits == 4 and value.shape[1] % GROUP:
        raise RecipeError(f"{name}: {value.shape[1]} inputs are no multiple of {GROUP}, which 4 bits need")
    whole, scale = integers(value, bits, value.shape[1] if bits == 8 else GROUP)
    scale = scale.to(torch.bfloat16)
    if bits == 8:
        return {f"{name}.weight": whole.contiguous(), f"{name}.weight_scale": scale.contiguous()}
    return {f"{name}.weight_packed": pack_nibbles(whole), f"{name}.weight_scale": scale.contiguous(),
            f"{name}.weight_shape": torch.tensor(value.shape)}  # fmt: skip


def _restored(stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    found = {}
    for name, value in stored.items():
        if name.endswith((".weight_scale", ".weight_shape")):
            continue
        base = name.removesuffix("_packed")
        if (scale := stored.get(f"{base}_scale")) is None:
            found[name] = value.float()
            continue
        whole = unpack_nibbles(value) if name.endswith("_packed") else value
        parts = whole.float().reshape(len(whole), scale.shape[1], -1)
        found[base] = (parts * scale.float()[..., None]).reshape(whole.shape)
    return found


def _rounded(given: torch.Tensor) -> torch.Tensor:
    """Each token's activations in 8 bits."""
    scale = given.abs().amax(-1, keepdim=True).clamp(min=1e-8) / 127
    return (given / scale).round().clamp(-128, 127) * scale


def _method(config: dict[str, Any]) -> str:
    return str(config.get("quantization_config", {}).get("quant_method", ""))


def _scheme(bits: int, method: str) -> dict[str, Any]:
    weights = {"num_bits": bits, "type": "int", "symmetric": True, "dynamic": False,
               **({"strategy": "channel"} if bits == 8 else {"strategy": "group", "group_size": GROUP})}  # fmt: skip
    inputs = (
        {"num_bits": 8, "type": "int", "symmetric": True, "dynamic": True, "strategy": "token"} if bits == 8 else None
    )
    return {
        "quant_method": method, "quantization_status": "compressed", "ignore": ["lm_head"],
        "format": "int-quantized" if bits == 8 else "pack-quantized",
        "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights, "input_activations": inputs, "output_activations": None}},
    }  # fmt: skip
