"""How long a text is, whatever its script: nothing here assumes spaces between words."""

from __future__ import annotations

import re

IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
UNIT = re.compile(rf"[{IDEOGRAPHS}]|[^\s{IDEOGRAPHS}]+")
IDEOGRAPH = re.compile(rf"[{IDEOGRAPHS}]")
CHARACTERS_PER_WORD = 1.7  # of Chinese for one English word; published counts of translations lie between 1.5 and 2
UNSPACED = frozenset({"zh", "ja"})


def units(text: str) -> list[str]:
    """Words, and single characters where the script has no spaces, in reading order."""
    return UNIT.findall(text)


def word_count(text: str) -> float:
    """Length in English words: a word is one, a Chinese or Japanese character is a part of one."""
    found = units(text)
    characters = sum(1 for unit in found if IDEOGRAPH.match(unit))
    return len(found) - characters + characters / CHARACTERS_PER_WORD


def ideograph_share(text: str) -> float:
    """Share of Chinese or Japanese characters among the letters of a text, 0 to 1."""
    letters = sum(1 for letter in text if letter.isalpha())
    return len(IDEOGRAPH.findall(text)) / letters if letters else 0.0


def in_characters(words: tuple[int, int]) -> tuple[int, int]:
    """A length in words as one in characters, to the next ten."""
    low, high = (round(number * CHARACTERS_PER_WORD / 10) * 10 for number in words)
    return max(10, low), max(20, high)
