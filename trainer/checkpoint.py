"""Checkpoints that appear whole or not at all, without pickle: safetensors for tensors, JSON for the rest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from corpus.errors import StateError
from trainer import files
from trainer.sharding import like, whole

MARKER, WEIGHTS, STATE = "checkpoint.json", "model.safetensors", "optimizer.safetensors"
KEEP = 2


def save(
    folder: Path, step: int, identity: str, model: Any, optimizers: list[torch.optim.Optimizer], curve: dict,
    *, leads: bool = True,
) -> None:  # fmt: skip
    """Write `folder/step-NNNNNN` and drop all but the last two. In a team whose members hold parts all of them call, and
    the one that leads writes."""
    target = folder / f"step-{step:06d}"
    weights = {name: whole(item).contiguous() for name, item in model.named_parameters()}
    state = _tensors(optimizers)
    if not leads or target.exists():
        return
    with files.whole_folder(target) as staged:
        save_file(weights, staged / WEIGHTS)
        save_file(state, staged / STATE)
        sums = {name: files.checksum(staged / name) for name in (WEIGHTS, STATE)}
        marker = {"step": step, "identity": identity, "checksums": sums, "curve": curve}
        (staged / MARKER).write_text(json.dumps(marker), "utf-8")
    for old in sorted(folder.glob("step-*"))[:-KEEP]:
        shutil.rmtree(old)


def newest(folder: Path) -> Path | None:
    """The last complete checkpoint."""
    whole = [path for path in sorted(folder.glob("step-*")) if (path / MARKER).is_file()]
    return whole[-1] if whole else None


def restore(path: Path, identity: str, model: Any, optimizers: list[torch.optim.Optimizer]) -> tuple[int, dict]:
    """Load weights and optimizer state; (next step, curve). Raises `StateError` when damaged or of another run."""
    marker = _marker(path)
    if marker["identity"] != identity:
        raise StateError(f"{path}: made by another recipe or other data", hint="choose another folder, or delete it")
    files.verify(path, marker["checksums"])
    weights = load_file(path / WEIGHTS)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(like(parameter, weights[name]))
    _restore_tensors(optimizers, load_file(path / STATE))
    return marker["step"], marker["curve"]


def kept(path: Path) -> dict:
    """The curve and its like, as they were saved. Raises `StateError` when the checkpoint is damaged."""
    return _marker(path)["curve"]


def _marker(path: Path) -> dict:
    try:
        return json.loads((path / MARKER).read_text("utf-8"))
    except ValueError as error:
        raise StateError(f"{path / MARKER}: cannot be read: {error}", hint="delete this checkpoint") from None


def _tensors(optimizers: list[torch.optim.Optimizer]) -> dict[str, torch.Tensor]:
    return {
        f"{index}.{key}.{name}": whole(value).contiguous()
        for index, optimizer in enumerate(optimizers)
        for key, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
        if isinstance(value, torch.Tensor)
    }


def _restore_tensors(optimizers: list[torch.optim.Optimizer], tensors: dict[str, torch.Tensor]) -> None:
    for index, optimizer in enumerate(optimizers):
        parameters = [item for group in optimizer.param_groups for item in group["params"]]
        found = optimizer.state_dict()
        found["state"] = {}
        for name, value in tensors.items():
            place, key, field = name.split(".", 2)
            if int(place) == index:
                found["state"].setdefault(int(key), {})[field] = like(parameters[int(key)], value)
        optimizer.load_state_dict(found)
