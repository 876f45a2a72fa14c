"""fastText as a classifier: sources weigh evenly, labels cannot be smuggled in, other people's labels are understood."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from corpus.errors import SetupError
from filters.fasttext_classifier import FastText, drawn, fit_fasttext, flatten, load_fasttext_classifier
from tests.filters.test_quality import SELLS, TEACHES, texts


@pytest.fixture(scope="module")
def model() -> FastText:
    labels = np.array([True] * 200 + [False] * 200)
    return fit_fasttext([*texts(TEACHES, 200, 1), *texts(SELLS, 200, 2)], labels, seed=1)


def test_text_cannot_smuggle_in_a_label(model: FastText) -> None:
    lying = [f"__label__teaches {text} __label__\n__label__teaches" for text in texts(SELLS, 20, 4)]
    assert not flatten(pl.Series(lying)).str.contains("__label__").any()
    assert model.score(lying).max() < 0.5 < model.score(texts(TEACHES, 20, 5)).min()


def test_both_kinds_are_drawn_as_often_and_every_text_is_there() -> None:
    labels = np.array([True] * 90 + [False] * 30)
    sources = np.array(["big"] * 80 + ["small"] * 10 + ["web"] * 30, object)
    rows = drawn(labels, sources, 3)
    assert labels[rows].mean() == pytest.approx(0.5)
    assert set(rows) == set(range(120))
    small, big = (np.isin(rows, np.flatnonzero(sources == name)).sum() for name in ("small", "big"))
    assert small / 10 > 1.8 * big / 80


def test_labels_of_others_are_worth_what_is_said(tmp_path: Path) -> None:
    import fasttext

    path = tmp_path / "train.txt"
    rows = [("hq", text) for text in texts(TEACHES, 60, 1)] + [("cc", text) for text in texts(SELLS, 60, 2)]
    path.write_text("".join(f"__label__{label} {text}\n" for label, text in rows), "utf-8")
    theirs: Any = fasttext.train_supervised(str(path), dim=8, bucket=1000, epoch=20, thread=1, verbose=0)
    theirs.save_model(str(tmp_path / "theirs.bin"))
    found = load_fasttext_classifier(tmp_path / "theirs.bin", {"__label__hq": 1.0})
    assert found.score([f"{texts(TEACHES, 1, 9)[0]}\nand more"])[0] > 0.5 > found.score(texts(SELLS, 1, 9))[0]
    with pytest.raises(SetupError, match="__label__cc, __label__hq"):
        load_fasttext_classifier(tmp_path / "theirs.bin")


@pytest.mark.soak
def test_fasttext_tunes_itself_within_its_budget(tmp_path: Path) -> None:
    labels = np.array([True] * 60 + [False] * 60)
    sources = [f"{label}{number % 4}" for number, label in enumerate(labels)]
    model = fit_fasttext([*texts(TEACHES, 60, 1), *texts(SELLS, 60, 2)], labels, sources=sources, seed=1, tune=5)
    assert model.score(texts(TEACHES, 20, 5)).min() > model.score(texts(SELLS, 20, 4)).max()
    model.save(tmp_path / "tuned.bin")
    assert (tmp_path / "tuned.bin").stat().st_size < 100e6
