"""Learn the weights of frame lines: `python -m bench.fit_frames LINES.jsonl --wordings W.jsonl --clean EN… --clean-zh ZH… --out FILE`.

LINES are those of `bench.page_lines`, W has interface wordings in `text`, the others are clean texts. A logistic regression, ridge,
of which the heaviest features are kept and learned again. Both sums above which a line is a frame's are set on clean texts
that nothing was learned from: of their lines that are short enough to be weighed, the share `ALONE` is above the first,
`BESIDE` above the second.
`--report` learns nothing and prints what the shipped filter makes of the sites and clean texts that are held out.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from bench.frame_examples import Examples, of_authors, of_frames, pages, part_of, unfenced
from bench.page_lines import CONTENT, FRAME
from corpus.document import Document
from corpus.readers import read_files
from filters.boilerplate import boilerplate_lines, may_be_weighed
from filters.frame_score import SCALE, features, summed, unknown

ALONE, BESIDE = 0.008, 0.015  # of the short lines of clean texts
LEAST = 4  # lines that a feature stands in
STRENGTH = {"en": 2.0, "zh": 1.0}  # the inverse of the ridge
KEPT = 25_000
PIECES = {"en": 0.0, "zh": 1.0}
NAMES = {"en": "other", "zh": "han"}


def main() -> None:
    """Both languages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", type=Path)
    parser.add_argument("--wordings", type=Path)
    parser.add_argument("--clean", nargs="+", required=True)
    parser.add_argument("--clean-zh", nargs="+", required=True)
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    wordings = [json.loads(row)["text"] for row in asked.wordings.open(encoding="utf-8")] if asked.wordings else []
    found: dict[str, Any] = {}
    for language, files in (("en", asked.clean), ("zh", asked.clean_zh)):
        clean = [row.text for row in read_files(files) if isinstance(row, Document)]
        if asked.report:
            report(language, asked.lines, clean)
        else:
            found[NAMES[language]] = fit(language, asked.lines, wordings, clean)
    if asked.out:
        asked.out.write_text(json.dumps(found, ensure_ascii=False, indent=0, sort_keys=True) + "\n", "utf-8")


def fit(language: str, lines: Path, wordings: Sequence[str], clean: Sequence[str]) -> dict[str, Any]:
    """Weights and thresholds."""
    rows = [row for row in pages(lines, language) if part_of(row["site"]) == "learn"]
    frames = of_frames(rows, wordings, language == "zh")
    learn = [text for text in clean if part_of(text[:300]) == "learn"]
    authors = of_authors(rows, learn, language == "zh", PIECES[language], Random(3))
    by_feature = _learned(frames, authors, language)
    lines_of = [line for text in clean if part_of(text[:300]) == "threshold" for line in unfenced(text)]
    scores = np.sort([summed(by_feature, line.strip()) for line in lines_of if may_be_weighed(line)])[::-1] / SCALE
    alone, beside = (round(float(scores[int(share * len(scores))]), 2) for share in (ALONE, BESIDE))
    print(f"{language}: {len(frames):,} lines of frames, {len(authors):,} of authors; {len(by_feature):,} weights; alone {alone}, beside {beside}", flush=True)  # fmt: skip
    return {"alone": alone, "beside": beside, "weights": by_feature}


def _learned(frames: Examples, authors: Examples, language: str) -> dict[str, int]:
    texts = [*frames, *authors]
    marked = np.r_[np.ones(len(frames)), np.zeros(len(authors))]
    weight = np.array([*frames.values(), *authors.values()])
    rows = [set(features(text.strip())) for text in texts]
    often = Counter(name for row in rows for name in row)
    names = sorted(name for name, times in often.items() if times >= LEAST)
    whole = _regression(_table(rows, names), marked, weight, STRENGTH[language])
    worth = np.abs(whole) * np.sqrt([often[name] for name in names])
    kept = [names[place] for place in np.sort(np.argsort(-worth)[:KEPT])]
    known = frozenset(kept)
    rows = [{*row, unknown(known, row)} for row in rows]
    kept += [f"#unknown {quarters}" for quarters in range(5)]
    again = np.rint(SCALE * _regression(_table(rows, kept), marked, weight, STRENGTH[language])).astype(int)
    return {name: int(value) for name, value in zip(kept, again, strict=True) if value or name.isalpha()}


def _table(rows: Sequence[set[str]], names: Sequence[str]) -> csr_matrix:
    places = {name: place for place, name in enumerate(names)}
    inside = [sorted(places[name] for name in row if name in places) for row in rows]
    ends = np.cumsum([0, *map(len, inside)])
    return csr_matrix((np.ones(ends[-1], np.float32), np.concatenate(inside), ends), (len(rows), len(names)))


def _regression(table: csr_matrix, marked: np.ndarray, weight: np.ndarray, strength: float) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged to the last digit
        model = LogisticRegression(C=strength, solver="liblinear", fit_intercept=False, max_iter=40)
        return model.fit(table, marked, sample_weight=weight).coef_[0]


def report(language: str, lines: Path, clean: Sequence[str]) -> None:
    """What `boilerplate_lines` makes of held-out sites, page by page, and of held-out clean texts."""
    rows = [row for row in pages(lines, language) if part_of(row["site"]) == "report"]
    print(
        _of_pages(
            f"{language}  {len(rows)} pages of {len({row['site'] for row in rows})} held-out sites",
            rows,
            lambda text: True,
        )
    )
    print(_of_pages("    their lines of six words at most", rows, lambda text: _words(text) <= 6))
    taken = of = 0
    for text in clean:
        if part_of(text[:300]) == "report":
            split = text.split("\n")
            taken += sum(map(bool, boilerplate_lines(split)))
            of += sum(bool(line.strip()) for line in split)
    print(f"    of {of:,} lines of clean texts {taken:,} are taken out ({taken / max(1, of):.3%})", flush=True)


def _words(text: str) -> float:
    return sum(1 / 1.7 if "\u4e00" <= letter <= "\u9fff" else 0 for letter in text) + len(text.split())


def _of_pages(name: str, rows: Sequence[dict[str, Any]], which: Callable[[str], bool]) -> str:
    counts = Counter[tuple[str, bool]]()
    for row in rows:
        found = boilerplate_lines([text for text, _ in row["lines"]])
        counts.update(
            (label, bool(kind)) for (text, label), kind in zip(row["lines"], found, strict=True) if which(text)
        )
    hit, missed, wrong = counts[FRAME, True], counts[FRAME, False], counts[CONTENT, True]
    return (f"{name}: {hit + missed:,} frame lines, recall {hit / max(1, hit + missed):.3f}, "
            f"precision {hit / max(1, hit + wrong):.3f}; {wrong:,} of {wrong + counts[CONTENT, False]:,} lines of content taken out")  # fmt: skip


if __name__ == "__main__":
    main()
