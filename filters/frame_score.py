"""How much a single line reads like one of a page's frame: a sum of weights that were learned from lines of pages.

Weighed are the words and pairs of words, of Chinese one to three characters, where they stand, and the shape of the line.
The weights (`filters/frame_weights.json`) are found by `python -m bench.fit_frames`, one set for lines with Chinese characters
and one for the others. A line's neighbours are not looked at here: what is found must not change once they are gone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LONGEST, LONGEST_HAN, WORDS = 100, 40, 15  # characters and words of a line that is weighed; longer ones are sentences
STEM = 5  # letters that stand for all words that begin with them
TOKEN = re.compile(r"[A-Za-zÀ-ÿ]+(?:['’][a-z]+)*|\d+|[\u4e00-\u9fff]+|[^\w\s]")
HAN = re.compile(r"[\u4e00-\u9fff]")
ENDS, ASKS = frozenset(".。;；,，、"), frozenset("?？!！:：…")
SIZES = (1, 2, 3, 4, 5, 8, 12, 20)  # words, from which on a line is of another size
SCALE = 100  # weights are kept as hundredths


@dataclass(frozen=True, slots=True)
class Weights:
    """Hundredths by feature, `` the constant, and the sums above which a line is a frame's: by itself, and beside such."""

    alone: float
    beside: float
    by_feature: dict[str, int]


@cache
def weights(name: str) -> Weights:
    """Those for lines with Chinese characters (`han`) or without (`other`)."""
    found = json.loads(files("filters").joinpath("frame_weights.json").read_text("utf-8"))[name]
    return Weights(found["alone"], found["beside"], found["weights"])


def weighed(line: str) -> tuple[bool, bool]:
    """Whether the line is a frame's by itself, and whether it is one beside lines that are."""
    bare = line.strip()
    known = weights("han" if HAN.search(bare) else "other")
    score = summed(known.by_feature, bare) / SCALE
    return score > known.alone, score > known.beside


def summed(by_feature: Mapping[str, int], bare: str) -> int:
    """Weights of all that is known of a line, and of how much is not."""
    names = set(features(bare))
    return sum(by_feature.get(name, 0) for name in names) + by_feature.get(unknown(by_feature, names), 0)


def unknown(known: Container[str], names: set[str]) -> str:
    """The feature that says how many of a line's words are none that frames or authors are told by, in quarters."""
    words = [name for name in names if name.isalpha()]
    return f"#unknown {-(-4 * sum(name not in known for name in words) // len(words)) if words else 0}"


def is_short(bare: str) -> bool:
    """Whether a line without blanks at its ends is short enough to be weighed."""
    if len(bare) > LONGEST or bare.count(" ") >= WORDS:
        return False
    return len(bare) <= LONGEST_HAN or not HAN.search(bare)


def features(bare: str) -> Iterator[str]:
    """What is weighed of a line without blanks at its ends: `word`, `stem~`, `word word`, `word A` before a capital, `^ first`, `last $`, `^only$`, of a
    Chinese run its characters by one, two and three, and `#` names of the line's shape."""
    cased = TOKEN.findall(bare)
    tokens = [token.casefold() for token in cased]
    yield ""
    yield from _shape(bare, tokens)
    words = [_number(token) if token[0].isdigit() else token for token in tokens]
    before = "^"
    for word, token in zip(words, cased, strict=True):
        if before != "^" and token[0].isupper():
            yield f"{before} A"
        if "\u4e00" <= word[0] <= "\u9fff":
            yield from _grams(word, before)
            word = word[-2:]
        else:
            yield word
            if len(word) > STEM:
                yield f"{word[:STEM]}~"
        yield f"{before} {word}"
        before = word
    yield f"{before} $"
    if len(words) == 1:
        yield f"^{words[0]}$"


def _number(digits: str) -> str:
    """All numbers are one, and all years another."""
    return "19" if len(digits) == 4 and digits[:2] in {"19", "20"} else "0"


def _grams(run: str, before: str) -> Iterator[str]:
    if before == "^":
        yield f"^{run[:2]}"
    for place in range(len(run)):
        yield run[place]
        if place + 2 <= len(run):
            yield run[place : place + 2]
        if place + 3 <= len(run):
            yield run[place : place + 3]
    yield f"{run[-2:]}$"


def _shape(bare: str, tokens: list[str]) -> Iterator[str]:
    words = sum(len(token) / 1.7 if "\u4e00" <= token[0] <= "\u9fff" else 1 for token in tokens if token[0].isalnum())
    yield f"#size {sum(words >= size for size in SIZES)}"
    last = bare[-1:]
    yield "#ends" if last in ENDS else "#asks" if last in ASKS else "#open"
    latin = [word for word in bare.split() if word[0].isalpha() and word[0].isascii()]
    if latin:
        capitals = sum(word[0].isupper() for word in latin)
        yield "#all capital" if capitals == len(latin) > 1 else "#one capital" if latin[0][0].isupper() else "#small"
        if 1 < capitals < len(latin):
            yield "#some capital"
        if len(bare) > 3 and bare.isupper():
            yield "#shouts"
