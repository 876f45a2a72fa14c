"""What a text states that can be held against its source: numbers, names and sentences.

Reading is by rule: a number with its sign, separators and percent; a run of capitalised words that a sentence's start
does not explain; in Chinese what stands in title marks or before a title, an office or a place's suffix,
and what a dictionary knows as a name.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from filters.chinese_names import SURNAMES, chinese_names
from generator.length import IDEOGRAPH, IDEOGRAPHS

NUMBER = re.compile(r"(?<![A-Za-z0-9_.])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?%|％)?(?![A-Za-z_]*\d)", re.A)
CHINESE_NUMBER = re.compile("[〇零一二三四五六七八九十百千万亿两]{2,}|百分之[零一二三四五六七八九十百点]+")
# What counts things of the text itself: steps, figures, chapters, list markers.
OWN_NUMBER = re.compile(
    r"(?i)(?:\b(?:step|figure|fig\.|table|chapter|section|part|question|exercise|example|problem|exhibit|note|rule|line)s?\s*#?|第|[图表式例题]\s?)$"
)
MARKER = re.compile(r"(?m)^[^\S\n]*+(?:\(?\d{1,2}[.)、:]|\d{1,2}(?=[^\S\n]*$))")
WORDS = {word: value for value, word in enumerate(
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"])} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12}  # fmt: skip
LONGEST = 40  # characters of a number that anyone calculates with
LETTER = rf"[^\W\d_{IDEOGRAPHS}]"  # of a script that puts spaces between words
WORD = re.compile(rf"{LETTER}+(?:['’]{LETTER}+)?|[{IDEOGRAPHS}]+")
SOFT = rf"(?:{LETTER}|['’])"
CAPITALISED = rf"[A-ZÀ-ÖØ-Þ]{SOFT}{{0,80}}[a-zß-öø-ÿ]{SOFT}{{0,80}}|[A-Z]{{2,}}[A-Za-z]*|[A-Z]\."
NAME = re.compile(
    rf"(?<!{LETTER})(?:{CAPITALISED})(?:(?:\s+(?:of|the|de|van|von|der|la|le|du|and|&)){{0,2}}[ \-](?:{CAPITALISED})){{0,60}}"
)
TITLE_ZH = re.compile(r"《([^《》\n]{1,30})》")
BEFORE = r"(?:^|(?<=[，。、；：（“「\s在于从到至往由和与及]))"  # where a Chinese name may begin
NAME_ZH = re.compile(
    f"([{SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=先生|女士|教授|博士|院士|老师|总统|主席|总理|将军|部长|市长|校长)"
    f"|{BEFORE}([\u4e00-\u9fff]{{2,5}}?(?:省|市|县|大学|学院|公司|银行|共和国|王朝|山脉|海峡|半岛))",
    re.M,
)
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.S)  # names of programs are no names
SENTENCE = re.compile(r"(?<=[.!?])[\"'”’)]*\s+|(?<=[。！？])[”’」』）]*|\n+")


BOUNDARY = re.compile(r"[.!?][\"'”’)]*\s|[。！？\n]")
# Where a sentence calculates, a number may follow from others. Elsewhere it does not, though small ones could by accident.
CALCULATES = re.compile(
    r"(?i)[≈×÷√]|[\d)%}$]\s*=|\d\s*[*+]\s*\d|\d\s+[-−/]\s+\d|\\(?:times|cdot|frac|div|approx)|\b(?:total|totals|sum|altogether|in all|plus|minus|times|multipl\w+"
    r"|divid\w+|equals?|makes?|gives?|product|ratio|difference|average|mean|remain\w*|left over|per|each|twice|doubled?|half|halved?"
    r"|percent of|% of|increase\w* (?:by|from)|decrease\w* (?:by|from)|more than|less than|fewer than|older|younger)\b"
    r"|共|总和|之和|总计|合计|相差|之差|乘|除以|平均|倍|剩|等于|得到|一半|占"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Something stated: as it is written, and in the form that is compared; of a number, whether its sentence calculates."""

    said: str
    value: str
    calculated: bool = False


def numbers_in(text: str, *, own: bool = False) -> Iterator[Claim]:
    """Numbers in figures, each with the value that equal numbers share; those that count the text's own parts, such as
    steps and figures, only where `own` asks for them."""
    plain = unicodedata.normalize("NFKC", text).replace("−", "-")
    markers, calculates, sentences = _Markers(plain), _Next(CALCULATES, plain), _Sentences(plain)
    for found in NUMBER.finditer(plain):
        start = found.start()
        if not own and (markers.at(start) or OWN_NUMBER.search(plain[max(0, start - 12) : start].rstrip(" "))):
            continue
        if value := number_value(found.group()):
            yield Claim(found.group().strip(), value, calculates.within(*sentences.around(start)))


class _Markers:
    """Where list markers begin, for places that move on through a text."""

    def __init__(self, text: str) -> None:
        self._found = MARKER.finditer(text)
        self._next = -1

    def at(self, place: int) -> bool:
        """Whether a marker's number begins here."""
        while self._next < place:
            found = next(self._found, None)
            self._next = found.end() - len(found.group().lstrip()) if found else sys.maxsize
        return self._next == place


class _Sentences:
    """The sentence or line around a place, for places that move on through a text."""

    def __init__(self, text: str) -> None:
        self._found = BOUNDARY.finditer(text)
        self._begun, self._next = 0, next(self._found, None)

    def around(self, place: int) -> tuple[int, int]:
        """Where it begins and ends, as far as 200 characters to each side."""
        while self._next and self._next.end() <= place:
            self._begun, self._next = self._next.end(), next(self._found, None)
        near = self._next is not None and self._next.end() <= place + 200
        return max(self._begun, place - 200), self._next.start() if self._next and near else place + 200


class _Next:
    """Where a pattern is found next. For windows that move on through a text, each place is searched once."""

    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self._pattern, self._text = pattern, text
        self._begun, self._found = 0, pattern.search(text)

    def within(self, start: int, end: int) -> bool:
        """Whether it is found between two places."""
        if start < self._begun or (self._found is not None and self._found.start() < start):
            self._begun, self._found = start, self._pattern.search(self._text, start)
        if self._found is None or self._found.start() >= end:
            return False
        return self._found.end() <= end or self._pattern.search(self._text, start, end) is not None


def number_value(said: str) -> str:
    """Equal numbers, equal strings: no separators, no sign of zero, no trailing zeros; percents stay percents. What is
    longer than `LONGEST` is compared as it is written."""
    percent = "%" if said.rstrip().endswith("%") else ""
    bare = said.replace(",", "").rstrip("% ").strip()
    if len(bare) > LONGEST:
        return f"{bare}{percent}"
    try:
        value = Decimal(bare)
    except InvalidOperation:
        return ""
    whole = value.normalize()
    return f"{whole:f}{percent}"


def number_words_in(text: str) -> set[str]:
    """Values of numbers that are written as words, each word alone; for what a source may support."""
    found = {str(WORDS[word]) for word in WORD.findall(text.casefold()) if word in WORDS}
    return found | {str(value) for said in CHINESE_NUMBER.findall(text) if (value := chinese_value(said)) is not None}


def chinese_value(said: str) -> int | None:
    """The value of a Chinese numeral, or of digits read one by one; None for what is neither."""
    digits = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
    scales = {"十": 10, "百": 100, "千": 1000}
    said = said.removeprefix("百分之")
    if all(char in digits for char in said):
        return int("".join(str(digits[char]) for char in said)) if said else None
    total = section = current = 0
    for char in said:
        if char in digits:
            current = digits[char]
        elif char in scales:
            section, current = section + (current or 1) * scales[char], 0
        elif char in "万亿":
            total, section, current = (total + section + current) * (10**4 if char == "万" else 10**8), 0, 0
        else:
            return None
    return total + section + current


def names_in(text: str) -> Iterator[Claim]:
    """Proper names: capitalised where a sentence's start does not ask for it, and the marked names of Chinese."""
    text = CODE.sub(" ", text)
    common = {word for word in re.findall(r"\b[a-z][a-z'’]+", text)}
    for sentence in sentences_in(text):
        begins = len(sentence) - len(sentence.lstrip(" \"'“‘(*#->\t"))
        for found in NAME.finditer(sentence):
            words = found.group().split()
            # The first word of an English sentence is capitalised whatever it is; an abbreviation is so everywhere.
            first = found.start() <= begins and not IDEOGRAPH.match(sentence, found.end())
            if first and words and not _is_abbreviation(words[0], sentence):
                words = words[1:] if len(words) == 1 or words[0].casefold() in common | FUNCTION else words
            while words and words[0].casefold() in FUNCTION:
                words = words[1:]
            if words and not all(word.casefold().strip(".") in common for word in words):
                yield Claim(" ".join(words), " ".join(words).casefold())
    for pattern in (TITLE_ZH, NAME_ZH):
        for found in pattern.finditer(text):
            said = next(group for group in found.groups() if group)
            yield Claim(said, said)
    if IDEOGRAPH.search(text):
        yield from (Claim(said, said) for said in chinese_names(text))


def _is_abbreviation(word: str, sentence: str) -> bool:
    """Capitals alone, in a sentence that is not all in capitals."""
    return len(word) > 1 and word.isupper() and word.casefold() not in FUNCTION and sentence != sentence.upper()


def sentences_in(text: str) -> list[str]:
    """Sentences and lines, in order, without empty ones."""
    return [part.strip() for part in SENTENCE.split(text) if part.strip()]


FUNCTION = frozenset(
    [
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "those",
        "it",
        "its",
        "he",
        "she",
        "they",
        "we",
        "you",
        "i",
        "his",
        "her",
        "their",
        "our",
        "your",
        "my",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "to",
        "of",
        "with",
        "and",
        "or",
        "but",
        "if",
        "when",
        "while",
        "as",
        "so",
        "because",
        "although",
        "since",
        "after",
        "before",
        "during",
        "then",
        "there",
        "here",
        "what",
        "which",
        "who",
        "how",
        "why",
        "not",
        "no",
        "yes",
        "each",
        "every",
        "all",
        "some",
        "any",
        "most",
        "many",
        "few",
        "both",
        "one",
        "two",
        "first",
        "second",
        "third",
        "finally",
        "next",
        "also",
        "however",
        "thus",
        "therefore",
        "let",
        "suppose",
        "consider",
        "note",
        "remember",
        "imagine",
        "step",
        "question",
        "answer",
        "example",
        "exercise",
        "solution",
        "problem",
        "q",
        "a",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "has",
        "have",
        "had",
        "do",
        "does",
        "did",
        "can",
        "could",
        "will",
        "would",
        "should",
        "may",
        "might",
        "must",
    ]
)
