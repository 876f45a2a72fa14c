"""Characters as they should be: mojibake undone, NFC, plain line ends, nothing invisible, widths as the script has them.

NFC and not NFKC: compatibility folding makes x² an x2, and a formula wrong. Only the full-width forms of ASCII are
folded, and in Chinese text only letters, digits and spaces, since its punctuation is full-width by right.
"""

from __future__ import annotations

import re
import unicodedata
from array import array

import numpy as np

from generator.length import IDEOGRAPHS, ideograph_share

CHINESE = 0.2  # share of Chinese letters from which punctuation follows Chinese rules
# What has no place in text: controls but tab and line feed, zero-width and direction marks, soft hyphens, byte-order
# marks, tag characters, private use. Zero-width joiners stay: emoji and several scripts are written with them.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\ue000-\uf8ff\ufdd0-\ufdef\U000e0000-\U000e007f]"
)
BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f]")
WIDER = 0xFEE0  # from a sign of ASCII to its full-width form
FULL_WIDTH = {code: code - WIDER for code in range(0xFF01, 0xFF5F)}
LETTERS_AND_DIGITS = {code: plain for code, plain in FULL_WIDTH.items() if chr(plain).isalnum()}
HAN = f"[{IDEOGRAPHS}]"
CLOSERS = "”’」』）》】"
PUNCTUATION = str.maketrans({",": "，", ";": "；", ":": "：", "?": "？", "!": "！", ".": "。"})
# Between Chinese on the left and Chinese, an opening mark or the line's end on the right; a full stop only at the end,
# since one between two characters is part of an address.
END = r"[ \t]*(?:\n|\Z)"
HALF_WIDTH = re.compile(rf"(?<=[{IDEOGRAPHS}{CLOSERS}])(?:[,;:?!](?=[{IDEOGRAPHS}“‘「『（《【]|{END})|\.(?={END}))")
CHINESE_LETTER, STAYS = 1, 2  # what a bracket holds
BRACKET = re.compile(r"[()\n]")
LETTER = re.compile(HAN)
BETWEEN = re.compile(rf"(?<={HAN}) +(?={HAN})")


def mend_characters(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with its characters mended, and the names of the steps that changed something, in their order."""
    steps: list[str] = []
    for name, step in (
        ("mojibake", _mojibake),
        ("breaks", _breaks),
        ("unseen", _unseen),
        ("nfc", _nfc),
        ("widths", _widths),
    ):
        changed = step(text)
        if changed != text:
            text, steps = changed, [*steps, name]
    return text, tuple(steps)


def _mojibake(text: str) -> str:
    """UTF-8 that was read as something else, read again (ftfy's heuristics; it changes nothing that looks right)."""
    if text.isascii():
        return text
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    return "\n".join(fix_encoding(line) if is_bad(line) else line for line in text.split("\n"))


def _breaks(text: str) -> str:
    return BREAKS.sub("\n", text)


def _unseen(text: str) -> str:
    return SPACES.sub(" ", UNSEEN.sub("", text))


def _nfc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _widths(text: str) -> str:
    if text.isascii():
        return text
    if ideograph_share(text) < CHINESE:
        return text.translate(FULL_WIDTH).replace("\u3000", " ")
    text = text.translate(LETTERS_AND_DIGITS).replace("\u3000", " ")
    text = HALF_WIDTH.sub(lambda found: found.group().translate(PUNCTUATION), text)
    return BETWEEN.sub("", _brackets(text) if "(" in text else text)


def _brackets(text: str) -> str:
    """Pairs in one line that hold Chinese, and no pair that stays, become full-width. Each character is looked at once."""
    open_at, holds, turned, last = (
        array("q"),
        bytearray(),
        array("q"),
        0,
    )  # a stack, and what stands in each open bracket
    for found in BRACKET.finditer(text):
        if holds and not holds[-1] & CHINESE_LETTER and LETTER.search(text, last, found.start()):
            holds[-1] |= CHINESE_LETTER
        last = found.end()
        if found.group() == "(":
            open_at.append(found.start())
            holds.append(0)
        elif found.group() == "\n":
            del open_at[:], holds[:]
        elif holds:
            place, held = open_at.pop(), holds.pop()
            if turns := held == CHINESE_LETTER:
                turned.extend((place, found.start()))
            if holds:
                holds[-1] |= held & CHINESE_LETTER | (0 if turns else STAYS)
    return _turned(text, turned) if turned else text


def _turned(text: str, places: array[int]) -> str:
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").copy()
    letters[np.frombuffer(places, np.int64)] += WIDER
    return letters.tobytes().decode("utf-32-le", "surrogatepass")
