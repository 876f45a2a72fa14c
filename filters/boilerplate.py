"""Lines of a page's frame: menus, cookie banners, share buttons, copyright lines, in English and Chinese.

Four looks, each of a line as it stands: it is a phrase of the list, it holds one, it is a row of links between
separators, or it stands in a run of lines that are as short as a menu's. What an author may have meant is left: code,
list items, headings, table rows, and any line that ends like a sentence unless it holds a phrase of the list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from generator.length import IDEOGRAPH, word_count

PHRASE, HOLDS, LINKS, MENU = "phrase", "holds", "links", "menu"
RUN = 5  # lines in a row that are as short as a menu's
SHORT = 4.0  # words of a menu's line
COMPLETE = re.compile(r"""[.!?。！？…;；:：,，、][\s"'”’」』)）\]]*\Z""")
AUTHORED = re.compile(r"\s*(?:[-*+•‣▪]\s|\(?\d{1,3}[.)、]\s?|[a-z][.)]\s|#{1,6}\s|>|\||~~~|```|\$)")
CODE = re.compile(r"[{}<>=;`\\^_]|\w\(|\)\.|://|->|::")
SEPARATOR = re.compile(r"\s+[|»›•·▸▶/→>]\s+|\s*[|»›•｜]\s*|\s+-\s+")
EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")
FENCE = re.compile(r"\s*(?:```|~~~)")


@dataclass(frozen=True, slots=True)
class Phrases:
    """The shipped list, folded for comparison."""

    whole: frozenset[str]
    holds: re.Pattern[str]
    words: float


@cache
def phrases() -> Phrases:
    """English and Chinese together: pages mix them."""
    data: dict[str, Any] = yaml.safe_load(files("filters").joinpath("boilerplate.yaml").read_text("utf-8"))
    lists = [data[language] for language in ("en", "zh")]
    whole = frozenset(_folded(phrase) for item in lists for phrase in item["whole"])
    holds = sorted({phrase.casefold() for item in lists for phrase in item["holds"]}, key=len, reverse=True)
    # An English phrase begins and ends with a word; Chinese has no such edges.
    edged = (rf"(?<![a-z]){re.escape(one)}(?![a-z])" if not IDEOGRAPH.search(one) else re.escape(one) for one in holds)
    return Phrases(whole, re.compile("|".join(edged)), float(data["words"]))


def boilerplate_lines(lines: Sequence[str]) -> list[str]:
    """For each line why it is no text of an author: `phrase`, `holds`, `links`, `menu`, or "" for one that stays."""
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
    """What a line is by itself."""
    folded = line.strip().casefold()
    if not folded:
        return ""
    known = phrases()
    if len(folded) <= 40 and _folded(folded) in known.whole and not AUTHORED.match(line):
        return PHRASE
    if len(folded) <= 400 and known.holds.search(folded) and word_count(folded) <= known.words:
        return HOLDS
    return LINKS if len(folded) <= 400 and _is_links(line.strip()) else ""


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
    runs, start, end, count, phrases_in = [], 0, 0, 0, 0
    for place, line in enumerate([*lines, "."]):
        stops = place == len(lines) or fenced[place] or not (found[place] or not line.strip() or _in_menu(line))
        if not stops:
            if line.strip():
                start, end = (start, place + 1) if count else (place, place + 1)
                count, phrases_in = count + 1, phrases_in + bool(found[place])
            continue
        # With a known phrase among them a short run is a menu; without one it takes a longer one.
        if count >= (RUN if phrases_in else 2 * RUN):
            runs.append((start, end))
        count = phrases_in = 0
    return runs


def _in_menu(line: str) -> bool:
    """As short as a menu's line, and nothing that an author would have marked or ended."""
    bare = line.strip()
    if len(bare) > 40 or COMPLETE.search(bare) or AUTHORED.match(line) or CODE.search(bare):
        return False
    if not any(letter.isalpha() for letter in bare):
        return False
    return word_count(bare) <= SHORT and (bare[0].isupper() or IDEOGRAPH.search(bare) is not None)
