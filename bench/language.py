"""How often a language is told right, by length and by mixture: `python -m bench.language --texts en:FILE… zh:FILE…`.

Each file holds texts of one language; of each text one piece is cut at a blank or a mark, of every length. Pieces without
a letter, and Chinese ones without an ideograph, are left out. Then pieces of two languages are joined: a sentence of the one in a paragraph of the other, which
has the language of the paragraph. What is printed is the share with the right label, the share that would also pass
at confidence .5, and what the others were taken for.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections import Counter
from collections.abc import Sequence

import polars as pl

from corpus.document import Document
from corpus.readers import read_files
from filters.language import identify

LENGTHS = (10, 20, 40, 80, 160, 320, 1000)  # characters of English; Chinese says as much in half of them
SHORTER = {"zh": 2}
HELD = {"zh": r"[\u3400-\u9fff]"}  # what a piece has to hold: between Chinese paragraphs stand pieces of programs
LEAST = 250  # characters of a text that pieces are cut from
FENCE = re.compile(r"```.*?(?:```|$)", re.S)


def pieces(texts: Sequence[str], length: int, language: str, seed: int = 17) -> list[str]:
    """One of each text, from the beginning of a sentence on."""
    draw, found = random.Random(seed), []
    for text in texts:
        flat = " ".join(text.split())
        starts = [place.end() for place in re.finditer(r"[.!?] |[。！？]", flat[: -2 * length])] or [0]
        piece = flat[(start := draw.choice(starts)) : start + length]
        cut = piece if language in SHORTER else piece.rpartition(" ")[0] or piece
        if re.search(HELD.get(language, r"[^\W\d_]"), cut):
            found.append(cut)
    return found


def line(name: str, language: str, texts: Sequence[str]) -> str:
    """Shares of one set."""
    if not texts:
        return f"{name:<34} {0:>6}"
    found = identify(pl.Series(list(texts), dtype=pl.String))
    right = found["language.label"] == language
    sure = right & (found["language.confidence"] >= 0.5)
    wrong = ", ".join(
        f"{label or 'code'} {count}" for label, count in Counter(found["language.label"][~right]).most_common(5)
    )
    return f"{name:<34} {len(texts):>6,}  right {right.mean():>7.2%}  and sure {sure.mean():>7.2%}  {wrong}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", nargs="+", required=True, help="LANGUAGE:FILE")
    parser.add_argument("--short", nargs="*", default=[], help="LANGUAGE:FILE of texts that are taken whole")
    parser.add_argument("--documents", type=int, default=2000, help="of each language")
    options = parser.parse_args()
    whole = _read(options.texts, LEAST, options.documents)
    for language, texts in whole.items():
        for length in LENGTHS:
            size = length // SHORTER.get(language, 1)
            print(line(f"{language}, {size} characters", language, pieces(texts, size, language)), flush=True)
    for language, texts in _read(options.short, 1, options.documents).items():
        print(line(f"{language}, short texts as they are", language, texts))
    _mixtures(whole)
    _speed([text for texts in whole.values() for text in texts])


def _mixtures(whole: dict[str, list[str]]) -> None:
    for outer in whole:
        for inner in whole:
            if outer != inner:
                pairs = zip(
                    pieces(whole[outer], 400 // SHORTER.get(outer, 1), outer),
                    pieces(whole[inner], 80 // SHORTER.get(inner, 1), inner, 18),
                    strict=False,
                )
                texts = [f"{large[: len(large) // 2]} {small} {large[len(large) // 2 :]}" for large, small in pairs]
                print(line(f"{outer}, a sentence of {inner} inside", outer, texts))


def _speed(texts: list[str]) -> None:
    series = pl.Series(texts)
    identify(series.head(50))
    begun = time.process_time()
    identify(series)
    spent = time.process_time() - begun
    size = sum(len(text.encode()) for text in texts)
    print(f"{len(texts) / spent:,.0f} documents/CPU s, {size / spent / 1e6:.0f} MB/s")


def _read(named: Sequence[str], least: int, most: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in named:
        language, _, file = item.partition(":")
        texts = (FENCE.sub("", row.text) for row in read_files([file]) if isinstance(row, Document))
        found.setdefault(language, []).extend(text for text in texts if len(text) >= least)
    for texts in found.values():
        random.Random(17).shuffle(texts)
    return {language: texts[:most] for language, texts in found.items()}


if __name__ == "__main__":
    main()
