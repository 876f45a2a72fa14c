"""A student as one ONNX file, for runtimes of small devices that know no Python and no torch.

The graph takes new tokens and what earlier ones left behind, and gives logits and what all of them leave: an empty past reads
a prompt, one token at a time writes on. Weights in float32. Written by torch's own exporter (`torch.onnx`, which needs the
packages onnx and onnxscript).
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from corpus.errors import RecipeError, SetupError, StateError
from trainer import files
from trainer.model import load_model
from trainer.tokenizer import TOKENIZER, TOKENIZER_CONFIG

FILE = "model.onnx"
INPUTS, OUTPUTS = ("input_ids", "past_keys", "past_values"), ("logits", "keys", "values")
AGREES = 1e-3  # largest difference of a logit between torch and the runtime


class Turn(torch.nn.Module):
    """`input_ids` [batch, tokens] and the past [layers, batch, heads, past, size] to logits [batch, tokens, vocabulary] and
    keys and values of past and new tokens."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: torch.Tensor, past_keys: torch.Tensor, past_values: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """One reading."""
        from transformers import DynamicCache

        (batch, new), past = input_ids.shape, past_keys.shape[3]
        places = past + torch.arange(new)
        seen = torch.arange(past + new)[None] <= places[:, None]
        cache: Any = DynamicCache(list(zip(past_keys.unbind(0), past_values.unbind(0), strict=True)))
        found = self.model(
            input_ids=input_ids, position_ids=places[None].expand(batch, -1), past_key_values=cache, use_cache=True,
            attention_mask=seen[None, None].expand(batch, 1, -1, -1),
        )  # fmt: skip
        layers = found.past_key_values.layers
        keys, values = (torch.stack([getattr(layer, name) for layer in layers]) for name in ("keys", "values"))
        return found.logits, keys, values


def write_onnx(source: Path, out: Path) -> Path:
    """Write the folder `out`: `model.onnx`, and configuration and tokenizer beside it.

    Raises `RecipeError` for other than Llama, `SetupError` without the packages, `StateError` where the runtime, if it is
    installed, computes something else.
    """
    _packages()
    model = load_model(source).eval()
    if model.config.model_type != "llama":
        raise RecipeError(f"a model of type {model.config.model_type} cannot be exported to ONNX, only Llama")
    turn, given = Turn(model).eval(), _example(model.config, batch=2, new=5, past=3)
    free = torch.export.Dim.DYNAMIC
    shapes: Any = {"input_ids": {0: free, 1: free}, "past_keys": {1: free, 3: free}, "past_values": {1: free, 3: free}}
    with files.whole_folder(out, replace=out.exists() and (out / FILE).is_file()) as folder:
        with warnings.catch_warnings(), _no_word():
            warnings.simplefilter("ignore")
            made: Any = torch.onnx.export(
                turn, given, dynamo=True, input_names=INPUTS, output_names=OUTPUTS, dynamic_shapes=shapes, verbose=False
            )  # fmt: skip
        made.save(folder / FILE)
        model.config.save_pretrained(folder)
        for name in (TOKENIZER, TOKENIZER_CONFIG):
            shutil.copyfile(source / name, folder / name)
        _check(folder / FILE, turn)
    return out


def _example(config: Any, *, batch: int, new: int, past: int) -> tuple[torch.Tensor, ...]:
    """Tokens and a past that are like none of another size; keys and values apart, or the exporter takes them for one."""
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    draw = torch.Generator().manual_seed(batch)
    shape = (config.num_hidden_layers, batch, config.num_key_value_heads, past, size)
    ids = torch.randint(0, config.vocab_size, (batch, new), generator=draw)
    return ids, torch.randn(shape, generator=draw), torch.randn(shape, generator=draw)


def _check(file: Path, turn: Turn) -> None:
    """Another batch, a prompt without a past and one token with one, by torch and by the runtime."""
    try:
        from onnxruntime import InferenceSession
    except ImportError:
        return
    session: Any = InferenceSession(file, providers=["CPUExecutionProvider"])
    for new, past in ((9, 0), (1, 7)):
        given = _example(turn.model.config, batch=1, new=new, past=past)
        with torch.inference_mode():
            ours = turn(*given)[0].numpy()
        theirs = session.run(["logits"], {name: item.numpy() for name, item in zip(INPUTS, given, strict=True)})[0]
        if (worst := float(np.abs(ours - theirs).max())) > AGREES:
            raise StateError(
                f"{FILE}: a logit differs by {worst:.1e} from torch's", hint="another version of onnxscript"
            )


def _packages() -> None:
    try:
        import onnx
        import onnxscript

        _ = onnx, onnxscript
    except ImportError as error:
        raise SetupError(f"the package {error.name} is not installed", hint="pip install 'hornbook[onnx]'") from None


@contextlib.contextmanager
def _no_word() -> Iterator[None]:
    """The exporter tells of torchvision's operators, which nobody asked for."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
