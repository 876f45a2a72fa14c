"""Whether Chinese characters make up Chinese: language identification goes by the script and takes any heap of them."""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from generator.length import IDEOGRAPH

if TYPE_CHECKING:
    from opencc import OpenCC

ENOUGH = 30  # characters: the share of fewer says nothing
FLUENT = 0.5  # measured: 1 in 800 sections of textbooks lies below, 1 in 75 of an encyclopaedia (lists of old names)
COPIED = 8  # characters in a row that the prompt has too were copied, and say nothing of who copied them


def broken_chinese(text: str, prompt: str = "") -> str:
    """Why a text is no fluent Chinese, or "": too few of its characters are parts of words of two and more.

    What stands word for word in `prompt` is left out. Classical Chinese, whose words are single characters, fails.
    """
    words = [word for word in _words(_own(text, prompt)) if IDEOGRAPH.match(word)]
    total = sum(map(len, words))
    if total < ENOUGH or (share := sum(len(word) for word in words if len(word) > 1) / total) >= FLUENT:
        return ""
    return f"{share:.2f} of the Chinese characters are parts of longer words; in fluent text {FLUENT} or more"


def _words(text: str) -> list[str]:
    import rjieba  # its dictionary takes a tenth of a second to load, and only Chinese needs it

    return rjieba.cut(_simplified().convert(text), False)


@lru_cache(maxsize=1)
def _simplified() -> OpenCC:
    """From traditional to simplified characters, which the dictionary has."""
    from opencc import OpenCC

    return OpenCC("t2s")


def _own(text: str, prompt: str) -> str:
    """The text without its runs of `COPIED` and more characters that are in the prompt; a space stands for each."""
    theirs = {prompt[start : start + COPIED] for start in range(len(prompt) - COPIED + 1)}
    if not theirs:
        return text
    edges = [0] * (len(text) + 1)
    for start in range(len(text) - COPIED + 1):
        if text[start : start + COPIED] in theirs:
            edges[start] += 1
            edges[start + COPIED] -= 1
    return "".join(letter if not inside else " " for letter, inside in zip(text, accumulate(edges), strict=False))
