"""Lines of a page's frame: menus, cookie banners, share buttons, copyright lines, in English and Chinese.

Five looks, each of a line as it stands: it is a phrase of the list, it holds one, it is a row of links between separators,
it is made of the words of frames, or it stands in a run of lines that are as short as a menu's. What an author may have meant is left: code,
list items, headings, table rows, and any line that ends like a sentence unless it holds a phrase of the list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

from filters.literals import any_of
from generator.length import IDEOGRAPH, word_count

PHRASE, HOLDS, LINKS, MADE, MENU = "phrase", "holds", "links", "made", "menu"
LONG = 500  # characters of a line that is remembered
LINES = 1 << 14  # that are remembered
RUN = 5  # lines in a row that are as short as a menu's
NAMED = 3  # names of sections among them that make them one
SHORT = 4.0  # words of a menu's line
COMPLETE = re.compile(r"""[.!?。！？…;；:：,，、][\s"'”’」』)）\]]*\Z""")
AUTHORED = re.compile(r"\s*(?:[-*+•‣▪]\s|\(?\d{1,3}[.)、]\s?|[a-z][.)]\s|#{1,6}\s|>|\||~~~|```|\$)")
CODE = re.compile(r"[{}<>=;`\\^_]|\w\(|\)\.|://|->|::")
SEPARATOR = re.compile(r"\s+[|»›•·▸▶/→>]\s+|\s*[|»›•｜]\s*|\s+-\s+")
NUMBERS = re.compile(r"\d+")
EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")
MASKED = re.compile(r"<[a-z_]+>")  # what stands in the place of an address was no button
FENCE = re.compile(r"\s*(?:```|~~~)")


@dataclass(frozen=True, slots=True)
class Phrases:
    """The shipped list, folded for comparison."""

    whole: frozenset[str]
    holds: re.Pattern[str]
    begins: tuple[str, ...]
    menu: frozenset[str]
    site: re.Pattern[str]
    glue: re.Pattern[str]
    words: float


@cache
def phrases() -> Phrases:
    """English and Chinese together: pages mix them."""
    data: dict[str, Any] = yaml.safe_load(files("filters").joinpath("boilerplate.yaml").read_text("utf-8"))
    lists = [data[language] for language in ("en", "zh")]
    whole = frozenset(_folded(phrase) for item in lists for phrase in item["whole"])
    begins = tuple(phrase.casefold() for item in lists for phrase in item["begins"])
    menu = frozenset(_folded(phrase) for item in lists for phrase in item["menu"])
    holds, site, glue = (
        any_of(phrase for item in lists for phrase in item[name]) for name in ("holds", "site", "glue")
    )
    return Phrases(whole, holds, begins, menu, site, glue, float(data["words"]))


def boilerplate_lines(lines: Sequence[str]) -> list[str]:
    """For each line why it is no text of an author: `phrase`, `holds`, `links`, `made`, `menu`, or "" for one that stays."""
    fenced = _fenced(lines)
    found = ["" if inside else _alone(line) for line, inside in zip(lines, fenced, strict=True)]
    for start, end in _runs(lines, found, fenced):
        for place in range(start, end):
            if lines[place].strip():
                found[place] = found[place] or MENU
    return found


def _fenced(lines: Sequence[str]) -> list[bool]:
    inside, found = False, []
    for line in lines:
        edge = FENCE.match(line) is not None
        found.append(inside or edge)
        inside ^= edge
    return found


def _alone(line: str) -> str:
    """What a line is by itself: remembered, since a page says many a line again and is looked at again once mended."""
    return _by_itself(line) if len(line) <= LONG else _by_itself.__wrapped__(line)


@lru_cache(maxsize=LINES)
def _by_itself(line: str) -> str:
    folded = line.strip().casefold()
    if not folded or MASKED.fullmatch(folded):
        return ""
    known = phrases()
    if len(folded) <= 40 and _folded(folded) in known.whole and not AUTHORED.match(line):
        return PHRASE
    if (
        len(folded) <= 400
        and (folded.startswith(known.begins) or known.holds.search(folded))
        and word_count(folded) <= known.words
    ):
        return HOLDS
    if len(folded) <= 400 and _is_links(line.strip()):
        return LINKS
    return MADE if len(folded) <= 90 and _is_made_of_site_words(line, folded) else ""


def _is_made_of_site_words(line: str, folded: str) -> bool:
    """Nothing but words that frames are made of, or two of them and at least half of the line such words."""
    if AUTHORED.match(line) or CODE.search(line):
        return False
    known = phrases()
    rest, sure = known.site.subn(" ", folded)
    if not sure:
        return False
    total = word_count(EDGES.sub("", folded))
    left = word_count(EDGES.sub("", NUMBERS.sub(" ", known.glue.sub(" ", rest))))
    if COMPLETE.search(folded):
        return sure >= 2 and left <= 0.2 * total and total <= 15
    return (left == 0 and total >= 1.5) or (sure >= 2 and left <= 0.5 * total and total <= 12)


def _folded(phrase: str) -> str:
    return " ".join(EDGES.sub("", phrase.casefold()).split())


def _is_links(line: str) -> bool:
    """Three short names or more between separators, none of them a sentence's end; no row of a table, no code."""
    if line[0] in "|-+>" or COMPLETE.search(line):
        return False
    parts = [part for part in SEPARATOR.split(line) if part.strip()]
    return len(parts) >= 3 and all(_is_name(part) for part in parts) and not CODE.search(_beside(line))


def _beside(line: str) -> str:
    """The line without its separators, where `a > b > c` is still program text: names of links begin with a capital."""
    bare = SEPARATOR.sub(" ", line)
    return bare if any(letter.isupper() or IDEOGRAPH.match(letter) for letter in bare) else f"{bare}="


def _is_name(part: str) -> bool:
    return word_count(part) <= SHORT and not CODE.search(part) and any(letter.isalpha() for letter in part)


def _runs(lines: Sequence[str], found: Sequence[str], fenced: Sequence[bool]) -> list[tuple[int, int]]:
    """(start, end) of runs of menu lines; a blank line inside neither counts nor ends one."""
    runs, start, end, count, phrases_in, names_in = [], 0, 0, 0, 0, 0
    for place, line in enumerate([*lines, "."]):
        stops = place == len(lines) or fenced[place] or not (found[place] or not line.strip() or _in_menu(line))
        if not stops:
            if line.strip():
                start, end = (start, place + 1) if count else (place, place + 1)
                count, phrases_in = count + 1, phrases_in + bool(found[place])
                names_in += _folded(line) in phrases().menu
            continue
        # With a known phrase among them, or names of sections, a short run is a menu; without it takes a longer one.
        if count >= (RUN if phrases_in or names_in >= NAMED else 2 * RUN):
            runs.append((start, end))
        count = phrases_in = names_in = 0
    return runs


def _in_menu(line: str) -> bool:
    """As short as a menu's line, and nothing that an author would have marked or ended."""
    bare = line.strip()
    return len(bare) <= 40 and _is_short(bare)


@lru_cache(maxsize=LINES)
def _is_short(bare: str) -> bool:
    if COMPLETE.search(bare) or AUTHORED.match(bare) or CODE.search(bare):
        return False
    if not any(letter.isalpha() for letter in bare):
        return False
    return word_count(bare) <= SHORT and (bare[0].isupper() or IDEOGRAPH.search(bare) is not None)
