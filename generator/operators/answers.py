"""Short answers in one form, so that `12.0`, `(12)` and `十二` are one answer: numbers, choices, words, Chinese too."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

DIGITS = {letter: value for value, letter in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
SMALL, LARGE = {"十": 10, "百": 100, "千": 1000}, {"万": 10**4, "亿": 10**8}
WORDS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
NAMED = {word: value for value, word in enumerate(WORDS.split())}
LEAD = re.compile(r"\A(?:(?:the )?(?:final )?answer(?: is)?|答案?(?:是|为)?|所以|因此)\s*[:：]?\s*", re.I)
BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
FRACTION = re.compile(r"\\[dt]?frac\{([^{}]+)\}\{([^{}]+)\}")
CHOICE = re.compile(r"(?:option|choice|选项?)?\s*[(\[]?([a-h])[)\].、:]?(?=\Z|\s)", re.I)
POWER = re.compile(r"\A([+-]?\d+(?:\.\d+)?)\s*(?:e|[*x×·]\s*10\s*\^?\s*)\{?([+-]?\d{1,3})\}?\Z", re.I)
NUMBER = re.compile(
    r"\A([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[+-]?\.\d+)(?:\s*/\s*(\d+(?:\.\d+)?))?\s*([万亿]?)(.*)\Z", re.S
)
# A prefix of a unit is no numeral: 五千克 is five kilograms.
UNIT = "克米瓦卡帕焦赫伏安字"
NUMERAL = re.compile(
    rf"\A(负?)((?:[零〇一二两三四五六七八九十百万亿]|千(?![{UNIT}]))+)(?:点([零〇一二三四五六七八九]+))?(.*)\Z", re.S
)
PARTS = re.compile(
    r"\A(负?)(百|[零〇一二两三四五六七八九十百千万]+)分之([零〇一二两三四五六七八九十百千万]+(?:点[零〇一二三四五六七八九]+)?)(.*)\Z",
    re.S,
)
EDGES = " \t\n.,;:!?。，；：！？、$*`\"'“”‘’「」《》()[]{}"
LIMIT = 200  # characters: what is longer is an essay, and compared as it stands


def normalised(answer: str) -> str:
    """The answer in one form: a number as a fraction in lowest terms with its unit, a choice as its letter, else words."""
    text = unicodedata.normalize("NFKC", answer).strip()[:LIMIT]
    if boxed := BOXED.search(text):
        text = boxed.group(1)
    text = _bare(FRACTION.sub(r"\1/\2", LEAD.sub("", text).replace("−", "-")))
    if choice := CHOICE.fullmatch(text):
        return choice.group(1).lower()
    return _number(text) or _words(text)


def _bare(text: str) -> str:
    """The text without punctuation around it; the point of `.5` is none."""
    bare = text.strip(EDGES)
    return f".{bare}" if bare[:1].isdigit() and text.lstrip(EDGES.replace(".", "")).startswith(".") else bare


def _number(text: str) -> str:
    """`value unit`, or nothing where the text does not begin with a number."""
    if power := POWER.match(text):
        return str(Fraction(power.group(1)) * Fraction(10) ** int(power.group(2)))
    if found := NUMBER.match(text):
        whole, below, times, unit = found.groups()
        value = Fraction(whole.replace(",", "")) * LARGE.get(times, 1)
        if below:
            value = value / Fraction(below) if Fraction(below) else value
        return _with_unit(value, unit)
    if parts := PARTS.match(text):
        sign, below, above, unit = parts.groups()
        value = _decimal(above) / _numeral(below if below != "百" else "一百")
        return _with_unit(-value if sign else value, unit)
    if found := NUMERAL.match(text):
        sign, whole, behind, unit = found.groups()
        value = _decimal(f"{whole}点{behind}" if behind else whole)
        return _with_unit(-value if sign else value, unit)
    first, _, unit = text.casefold().partition(" ")
    return _with_unit(Fraction(NAMED[first]), unit) if first in NAMED else ""


def _with_unit(value: Fraction, unit: str) -> str:
    unit = unit.strip(EDGES)
    if unit.startswith("%"):
        value, unit = value / 100, unit[1:].strip(EDGES)
    return f"{value} {_words(unit)}".strip()


def _decimal(text: str) -> Fraction:
    whole, _, behind = text.partition("点")
    digits = "".join(str(DIGITS[letter]) for letter in behind)
    return _numeral(whole) + (Fraction(int(digits), 10 ** len(digits)) if digits else 0)


def _numeral(text: str) -> Fraction:
    """三百零五 is 305, 一亿二千万 is 120 million, 二〇二四 is read digit by digit."""
    if all(letter in DIGITS for letter in text):
        return Fraction(int("".join(str(DIGITS[letter]) for letter in text)))
    total, part, digit = 0, 0, 0
    for letter in text:
        if letter in DIGITS:
            digit = DIGITS[letter]
        elif letter in SMALL:
            part, digit = part + (digit or 1) * SMALL[letter], 0
        else:
            higher = total if letter == "万" else 0  # 一亿二千万: 万 counts from the 亿 on, 亿 takes all before it
            total, part, digit = higher + (total - higher + part + digit or 1) * LARGE[letter], 0, 0
    return Fraction(total + part + digit)


def _words(text: str) -> str:
    """Letters and digits of all scripts, without case, articles, punctuation and doubled spaces."""
    folded = "".join(letter if letter.isalnum() or letter in "+-*/^=<>%°" else " " for letter in text.casefold())
    return " ".join(word for word in folded.split() if word not in ("a", "an", "the"))
