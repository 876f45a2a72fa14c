"""Text classifiers that are transformers, in this process: a head on an encoder, as FineWeb-Edu's, for samples and small corpora.

Weights are read from safetensors alone and no code of a repository runs. An encoder reads every text token by token, so a
classifier of words is far cheaper: this one is for samples, and for labels that a cheaper one learns from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import RecipeError, SetupError
from generator.text_only import leave_out_torchvision

FILES = ("config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors")
TOP, TOKENS, BATCH, CHARACTERS = "top", 512, 16, 20_000


@dataclass(frozen=True)
class TransformerClassifier:
    """`weights` says what the outputs are worth: a number for each label, or with one output what it is divided by."""

    model: Any
    tokenizer: Any
    weights: np.ndarray  # float32 [labels]
    regression: bool

    def score(self, texts: Sequence[str] | Any) -> np.ndarray:
        """float32 in [0, 1] a text, from its first 512 tokens; texts of one length share a batch. A blank one has 0."""
        rows = [text[:CHARACTERS] for text in texts]
        order, found = np.argsort([len(text) for text in rows], kind="stable"), np.zeros(len(rows), np.float32)
        order = np.array([place for place in order if rows[place].strip()], int)
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            found[places] = self._worth(self._logits([rows[place] for place in places]))
        return found

    def save(self, out: Path) -> None:
        """A folder that `load_transformer` opens; what its labels are worth is said again when it is opened."""
        self.model.save_pretrained(out)
        self.tokenizer.save_pretrained(out)

    def _logits(self, texts: list[str]) -> np.ndarray:
        import torch

        limit = min(TOKENS, getattr(self.model.config, "max_position_embeddings", TOKENS))
        given = self.tokenizer(texts, padding=True, truncation=True, max_length=limit, return_tensors="pt")
        with torch.inference_mode():
            return self.model(**given).logits.float().numpy()

    def _worth(self, logits: np.ndarray) -> np.ndarray:
        if self.regression:
            return np.clip(logits[:, 0] / self.weights[0], 0, 1)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.clip(shares / shares.sum(axis=1, keepdims=True) @ self.weights, 0, 1)


def is_transformer(folder: Path) -> bool:
    """Whether the folder holds a model of transformers."""
    return (folder / FILES[0]).is_file()


def load_transformer(folder: Path, points: Mapping[str, float]) -> TransformerClassifier:
    """Open it. `points` are worth by label, or `{"top": 5}` for a model with one output that ends at 5.

    Raises `SetupError` where there is no such model in safetensors, `RecipeError` where `points` does not fit its labels.
    """
    leave_out_torchvision()
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model: Any = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError) as error:
        raise SetupError(
            f"{folder}: no classifier of transformers: {error}",
            hint="it needs config.json, a tokenizer and safetensors",
        ) from None
    return TransformerClassifier(model.eval(), tokenizer, *_weights(folder, model.config, points))


def _weights(folder: Path, config: Any, points: Mapping[str, float]) -> tuple[np.ndarray, bool]:
    labels = [str(config.id2label[number]) for number in range(config.num_labels)]
    if len(labels) == 1:
        if set(points) != {TOP} or points[TOP] <= 0:
            raise RecipeError(f"{folder}: its one output is a number", hint=f"say where it ends: @{TOP}=5")
        return np.array([points[TOP]], np.float32), True
    if not points or set(points) - set(labels):
        wrong = ", ".join(sorted(set(points) - set(labels))) or "none"
        raise RecipeError(f"{folder}: labels {', '.join(labels)}; given {wrong}", hint=f"@{labels[-1]}=1")
    return np.array([points.get(label, 0.0) for label in labels], np.float32), False
