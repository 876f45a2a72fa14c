"""Abusive and advertising text: precision, recall and false drops. `python -m bench.toxicity --labelled FILE… --clean FILE…`

The lists are measured on all labelled rows, the classifier on the half that it did not learn from (rows by a hash of their
text, so that copies stay together). `--clean` files hold texts that nobody should drop; half of them, at most 2,000 of a file,
are given to the classifier as text of the other kind, false drops are counted on the rest. Rows need `text` and `label`.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import xxhash

from filters.classifier import Kind, train
from filters.config import ToxicConfig
from filters.toxic import density
from filters.words import split_words

TOXIC = ("toxic", "offensive", "hate")
ADVERT = ("sms-spam",)
FINE = ("ok", "sms-ham")
MOST = 2000
CONFIG = ToxicConfig()


def main() -> None:
    """Lists, then classifiers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labelled", nargs="+", required=True)
    parser.add_argument("--clean", nargs="+", required=True)
    parser.add_argument("--kinds", nargs="*", default=["words", "fasttext"])
    asked = parser.parse_args()
    labelled = {path: _labelled(path) for path in asked.labelled}
    clean = {path: [row["text"] for row in _rows(path)][:MOST] for path in asked.clean}
    print("lists")
    for path, (texts, labels, kinds) in labelled.items():
        for kind in kinds:
            said = _said(texts, kind)
            print(f"  {Path(path).name:<28} {kind:<7} {_figures(said, labels)}")
    for path, texts in clean.items():
        counts = {kind: int(_said(texts, kind).sum()) for kind in ("abuse", "adult", "advert")}
        print(f"  {Path(path).name:<28} dropped of {len(texts):,}: {counts}")
    for kind in asked.kinds:
        _classifier(kind, labelled, clean)


def _classifier(kind: Kind, labelled: dict, clean: dict[str, list[str]]) -> None:  # type: ignore[type-arg]
    """Learn from one half of all, measure on the other."""
    texts = [text for rows, _, kinds in labelled.values() if "abuse" in kinds for text in rows]
    labels = np.concatenate([marks for _, marks, kinds in labelled.values() if "abuse" in kinds])
    others = [text for rows in clean.values() for text in rows if _half(text)]
    learn = np.array([_half(text) for text in texts])
    learned = [text for text, chosen in zip(texts, learn, strict=True) if chosen] + others
    model = train(kind, learned, np.concatenate([labels[learn], np.zeros(len(others), bool)]), seed=17)
    print(
        f"classifier `{kind}`, trained on {len(learned):,} texts; the held-out half at {CONFIG.least:g} and, in brackets, at .5"
    )
    for path, (rows, marks, kinds) in labelled.items():
        if "abuse" in kinds:
            held = np.array([not _half(text) for text in rows])
            scores = model.score([text for text, chosen in zip(rows, held, strict=True) if chosen])
            lists = _said(rows, "abuse")[held]
            print(
                f"  {Path(path).name:<28} {_figures(scores >= CONFIG.least, marks[held])} ({_figures(scores >= 0.5, marks[held])})"
            )
            print(f"  {'':<28} with lists: {_figures((scores >= CONFIG.least) | lists, marks[held])}")
    for path, rows in clean.items():
        held_texts = [text for text in rows if not _half(text)]
        scores = model.score(held_texts)
        print(
            f"  {Path(path).name:<28} dropped of {len(held_texts):,}: {int((scores >= CONFIG.least).sum())} ({int((scores >= 0.5).sum())})"
        )


def _said(texts: Sequence[str], kind: str) -> np.ndarray:
    values = density(split_words(pl.Series(list(texts), dtype=pl.String)))[f"toxic.{kind}"]
    return values >= np.float32(getattr(CONFIG, kind))


def _figures(said: np.ndarray, labels: np.ndarray) -> str:
    hits = int((said & labels).sum())
    return f"precision {hits / max(1, int(said.sum())):.3f}, recall {hits / max(1, int(labels.sum())):.3f}"


def _half(text: str) -> bool:
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "replace")) % 2 == 0


def _labelled(path: str) -> tuple[list[str], np.ndarray, list[str]]:
    rows = [row for row in _rows(path) if row.get("label") in (*TOXIC, *ADVERT, *FINE)]
    labels = np.array([row["label"] not in FINE for row in rows])
    return (
        [row["text"] for row in rows],
        labels,
        ["advert" if rows and any(row["label"] in ADVERT for row in rows) else "abuse"],
    )


def _rows(path: str) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


if __name__ == "__main__":
    main()
