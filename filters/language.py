"""Language identification with fastText's lid.176 in its compressed form, which lies beside this file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from corpus.errors import SetupError
from generator.length import CHARACTERS_PER_WORD

MODEL = Path(__file__).with_name("lid.176.ftz")  # origin and licence: lid.176.txt
SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"  # as published by fastText's authors
FIRST_LOOK = 300  # characters; five times faster than whole documents at the same label (measured)
FENCED = r"(?s)```.*?(?:```|$)"
SURE = 0.8  # a first look below this confidence is repeated on the whole text
CHINESE, MOST = "zh", 0.5  # share of its words from which a text is Chinese, whatever else it holds
HAN, KANA = r"\p{Han}", r"[\p{Hiragana}\p{Katakana}]"
RUN_OF_HAN, RUN_OF_OTHERS = r"\p{Han}+", r"[\p{L}\p{M}--\p{Han}]+"
JAPANESE = 0.1  # of ideographs and kana: a Japanese sentence has far more kana than that


def language_model() -> Path:
    """The model file. Raises `SetupError` when it is missing or not the published one."""
    if not MODEL.is_file():
        raise SetupError(f"the language model {MODEL} is missing", hint="reinstall hornbook")
    if hashlib.sha256(MODEL.read_bytes()).hexdigest() != SHA256:
        raise SetupError(f"{MODEL} is not the published one", hint="reinstall hornbook")
    return MODEL


@lru_cache(maxsize=8)
def load_fasttext(path: Path) -> Any:
    """A fastText model, loaded once a process (such models cannot be pickled: hand paths to workers)."""
    import fasttext

    try:
        return fasttext.load_model(str(path))
    except ValueError as error:
        raise SetupError(f"{path} is not a fastText model: {error}", hint="Train or install it again.") from error


def identify(texts: pl.Series, path: Path | None = None) -> dict[str, np.ndarray]:
    """`language.label` (ISO code) and `language.confidence` of each text, read outside of its code fences.

    Ideographs without kana are Chinese: where they make more words than all other letters the text is `zh`, and its
    confidence lies halfway between 1 and their share; where they make fewer, the rest decides, as far as the model is
    sure of it: Chinese around a program stays Chinese. For the rest the model's
    first look at some characters decides when it is sure; otherwise its look at the whole text does. A text without
    letters is "und", one whose letters are all in code fences has the label "": it was not asked, since no program is in
    a human language.
    """
    model = load_fasttext(path or language_model())
    lettered = texts.str.contains(r"\p{L}").to_numpy()
    prose = _where(texts, texts.str.contains("```", literal=True), FENCED)
    blank = ~prose.str.contains(r"\p{L}").to_numpy()
    share = _chinese(prose)
    asked = np.flatnonzero((share < MOST) & ~blank)
    labels, confidence = np.full(len(texts), CHINESE, dtype=object), ((1 + share) / 2).astype(np.float32)
    rest = _where(prose.gather(asked), pl.Series(share[asked] > 0, dtype=pl.Boolean), RUN_OF_HAN)
    found, sure = _looked_at(model, rest)
    other = (
        share[asked] < (1 - share[asked]) * sure
    )  # of what the model is not sure of, programs above all, less counts
    labels[asked[other]], confidence[asked[other]] = found[other], sure[other]
    labels[blank], confidence[blank] = np.where(lettered[blank], "", "und"), 0.0
    return {"language.label": labels, "language.confidence": confidence}


def _where(texts: pl.Series, flags: pl.Series, pattern: str) -> pl.Series:
    """The texts, in the flagged ones a blank for everything that the pattern matches."""
    if not flags.any():
        return texts
    edited = pl.when(flags).then(pl.col("text").str.replace_all(pattern, " ")).otherwise("text")
    return texts.rename("text").to_frame().select(edited).to_series()


def _chinese(prose: pl.Series) -> np.ndarray:
    """Share of Chinese among the words of a text, float64: a word is 1.7 ideographs, or a run of other letters."""
    share = np.zeros(len(prose))
    found = np.flatnonzero(prose.str.contains(HAN).to_numpy())
    texts = prose.gather(found)
    han, kana, others = (
        texts.str.count_matches(pattern).to_numpy().astype(float) for pattern in (HAN, KANA, RUN_OF_OTHERS)
    )
    words = han / CHARACTERS_PER_WORD
    share[found] = np.where(kana < JAPANESE * (han + kana), words / (words + others), 0.0)
    return share


def _looked_at(model: Any, texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Labels and confidence by the beginnings, and by whole texts where those are not sure."""
    heads = _flat(texts.str.slice(0, 4 * FIRST_LOOK)).str.slice(0, FIRST_LOOK)
    labels, confidence = _predict(model, heads.to_list())
    unsure = np.flatnonzero((confidence < SURE) & (texts.str.len_chars().to_numpy() > FIRST_LOOK))
    if unsure.size:
        labels[unsure], confidence[unsure] = _predict(model, _flat(texts.gather(unsure)).to_list())
    return labels, confidence


def _flat(texts: pl.Series) -> pl.Series:
    """One line each: a line feed makes predict() raise."""
    return texts.str.replace_all(r"[\s\x00]+", " ").str.strip_chars()


def _predict(model: Any, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    found, certainty = model.predict(list(texts), k=1)
    labels = np.array([row[0].removeprefix("__label__") if len(row) else "und" for row in found], dtype=object)
    return labels, np.array([min(float(row[0]), 1.0) if len(row) else 0.0 for row in certainty], dtype=np.float32)
