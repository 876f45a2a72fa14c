"""Training a student of shared layers or low-rank factors as what it is, so that it heals and stays as small.

A model folder of these routes holds whole matrices for the server, and what is stored beside them. Going on from such a
folder trains what is stored: the factors themselves, or one layer in several places. What comes of it is such a folder again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from trainer import files
from trainer.compression.quantise import linear_layers

# In the format of safetensors, under another name: vLLM reads every *.safetensors of a folder, and knows no factors.
FACTS, STORED = "compression.json", "stored.tensors"
LOW_RANK, SHARED = "low-rank", "share-layers"


class Factored(torch.nn.Module):
    """A linear layer without bias as the product of two: [rows, rank] · [rank, columns]."""

    def __init__(self, left: torch.Tensor, right: torch.Tensor) -> None:
        super().__init__()
        self.left, self.right = torch.nn.Parameter(left.float()), torch.nn.Parameter(right.float())

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """[..., columns] to [..., rows]."""
        return torch.nn.functional.linear(torch.nn.functional.linear(given, self.right), self.left)


def constrained(model: Any, folder: Path) -> Any:
    """The model of `folder` with what is stored as its parameters, where that is less than the whole matrices."""
    if not (folder / STORED).is_file():
        return model
    facts = json.loads((folder / FACTS).read_text("utf-8"))
    if facts["route"] == LOW_RANK:
        stored = load_file(folder / STORED)
        for name in linear_layers(model):
            home, _, last = name.rpartition(".")
            setattr(model.get_submodule(home), last, Factored(stored[f"{name}.left"], stored[f"{name}.right"]))
    elif facts["route"] == SHARED:
        share(model, int(facts["amount"]))
    model.constraint = facts
    return model


def share(model: Any, group: int) -> None:
    """Let each `group` of neighbouring layers have the parameters of its first one."""
    layers = model.model.layers
    for place, layer in enumerate(layers):
        first = dict(layers[place - place % group].named_parameters())
        for name in first:
            home, _, last = name.rpartition(".")
            setattr(layer.get_submodule(home), last, first[name])


def is_shared(model: Any) -> bool:
    """Whether layers have parameters in common."""
    return getattr(model, "constraint", {}).get("route") == SHARED


@torch.no_grad()
def write_stored(model: Any, weights: dict[str, torch.Tensor], folder: Path) -> dict[str, torch.Tensor]:
    """The whole matrices of `weights` (the model's state, put together); what is stored is written into `folder`.

    Both are of the factors in bfloat16, as they are stored. A model of another kind is left as it is.
    """
    facts = getattr(model, "constraint", None)
    if facts is None:
        return weights
    head = "lm_head.weight" if model.config.tie_word_embeddings else ""
    found = {name: value.to(torch.bfloat16).float() for name, value in weights.items() if name != head}
    group = int(facts["amount"]) if facts["route"] == SHARED else 1
    stored = {name: value.to(torch.bfloat16).contiguous() for name, value in found.items() if _layer(name) % group == 0}
    save_file(stored, folder / STORED)
    facts = facts | {"bytes": (folder / STORED).stat().st_size}
    files.write_whole(folder / FACTS, json.dumps(facts, indent=2).encode())
    for name in [name.removesuffix(".left") for name in found if name.endswith(".left")]:
        found[f"{name}.weight"] = found.pop(f"{name}.left") @ found.pop(f"{name}.right")
    return found


def _layer(name: str) -> int:
    """The number of the layer that a parameter is in, 0 outside of them."""
    return int(name.partition(".layers.")[2].partition(".")[0] or 0)
