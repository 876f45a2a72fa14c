"""Lines of a page's frame: menus, cookie banners, share buttons, copyright lines, in English and Chinese.

Four looks at a line as it stands: it is a phrase of the list, it holds one, it is a row of links between separators, or what
it is made of weighs enough (`filters/frame_score.py`). Two at the others: beside lines that were found, and on a page with
many of them, less weight is enough, and a run of lines that are as short as a menu's goes as a whole. What an author may
have meant is left: code, list items, headings and table rows, unless they hold a phrase of the list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

from filters.frame_score import is_short, weighed
from filters.literals import any_of
from generator.length import IDEOGRAPH, word_count

PHRASE, HOLDS, LINKS, WEIGHED, BESIDE, MENU = "phrase", "holds", "links", "weighed", "beside", "menu"
LONG = 500  # characters of a line that is remembered
LINES = 1 << 14  # that are remembered
REACH = 3  # lines on either side that are beside a line
FOUND = 3  # of them, that make less weight enough
MANY = 0.05  # of a page's lines, that make it enough everywhere
RUN = 5  # lines in a row that are as short as a menu's
KNOWN, NAMED = 0.3, 3  # the share of them that were found, or names of sections among them, that make them one
SHORT = 4.0  # words of a menu's line
COMPLETE = re.compile(r"""[.!?。！？…;；:：,，、][\s"'”’」』)）\]]*\Z""")
AUTHORED = re.compile(r"\s*(?:[-*+•‣▪]\s|\(?\d{1,3}[.)、]\s?|[a-z][.)]\s|#{1,6}\s|>|\||~~~|```|\$)")
CODE = re.compile(r"[{}<>=;`\\^_]|[A-Za-z0-9_]\(|\)\.|://|->|::|[#@][A-Za-z]")
SEPARATOR = re.compile(r"\s+[|»›•·▸▶/→>]\s+|\s*[|»›•｜]\s*|\s+-\s+")
NUMBERS = re.compile(r"\d+")
EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")
ARROWS = re.compile(r"\s*[«»›|<>]+\s*")  # those of links, which are no code
WORDED = re.compile(r"[^\W\d_].*[^\W\d_]")  # two letters
MASKED = re.compile(r"<[a-z_]+>")  # what stands in the place of an address was no button
FENCE = re.compile(r"\s*(?:```|~~~)")


@dataclass(frozen=True, slots=True)
class Phrases:
    """The shipped list, folded for comparison."""

    whole: frozenset[str]
    holds: re.Pattern[str]
    begins: tuple[str, ...]
    menu: frozenset[str]
    words: float


@cache
def phrases() -> Phrases:
    """English and Chinese together: pages mix them."""
    data: dict[str, Any] = yaml.safe_load(files("filters").joinpath("boilerplate.yaml").read_text("utf-8"))
    lists = [data[language] for language in ("en", "zh")]
    whole = frozenset(_folded(phrase) for item in lists for phrase in item["whole"])
    begins = tuple(phrase.casefold() for item in lists for phrase in item["begins"])
    menu = frozenset(_folded(phrase) for item in lists for phrase in item["menu"])
    holds = any_of(phrase for item in lists for phrase in item["holds"])
    return Phrases(whole, holds, begins, menu, float(data["words"]))


def boilerplate_lines(lines: Sequence[str]) -> list[str]:
    """For each line why it is no text of an author: `phrase`, `holds`, `links`, `weighed`, `beside`, `menu`, or "" for one
    that stays."""
    fenced = boilerplate_fenced(lines)
    looks = [("", False) if inside else _alone(line) for line, inside in zip(lines, fenced, strict=True)]
    found = [kind for kind, _ in looks]
    for place in _beside(found, [likely for _, likely in looks], lines):
        found[place] = BESIDE
    for start, end in _runs(lines, found, fenced):
        for place in range(start, end):
            if lines[place].strip():
                found[place] = found[place] or MENU
    return found


def boilerplate_fenced(lines: Sequence[str]) -> list[bool]:
    """Which lines are a code fence or inside of one."""
    inside, found = False, []
    for line in lines:
        edge = FENCE.match(line) is not None
        found.append(inside or edge)
        inside ^= edge
    return found


def _alone(line: str) -> tuple[str, bool]:
    """What a line is by itself, and whether it is a frame's beside lines that are: remembered, since a page says many a line
    again and is looked at again once mended."""
    return _by_itself(line) if len(line) <= LONG else _by_itself.__wrapped__(line)


@lru_cache(maxsize=LINES)
def _by_itself(line: str) -> tuple[str, bool]:
    folded = line.strip().casefold()
    if not folded or MASKED.fullmatch(folded):
        return "", False
    known = phrases()
    if (
        len(folded) <= 40
        and _folded(folded) in known.whole
        and not AUTHORED.match(line)
        and not CODE.search(_without_arrows(line))
    ):
        return PHRASE, True
    if len(folded) > 400:
        return "", False
    if (folded.startswith(known.begins) or known.holds.search(folded)) and word_count(folded) <= known.words:
        return HOLDS, True
    if _is_links(line.strip()):
        return LINKS, True
    alone, beside = weighed(line) if may_be_weighed(line) else (False, False)
    return WEIGHED if alone and _folded(folded) not in known.menu else "", beside  # a section's name alone is a heading


def may_be_weighed(line: str) -> bool:
    """Whether what it is made of may condemn a line: no code, no list item, no heading, nothing that is indented, not longer
    than a menu's sentences."""
    bare = line.strip()
    if not is_short(bare) or line[:2].isspace() or AUTHORED.match(line):
        return False
    return WORDED.search(bare) is not None and not CODE.search(_without_arrows(bare))


def _without_arrows(line: str) -> str:
    return ARROWS.sub(" ", line)


def _beside(found: Sequence[str], likely: Sequence[bool], lines: Sequence[str]) -> list[int]:
    """Places of likely lines near others that are found by themselves; only those count, so that none is left alone by what
    goes with it."""
    filled = [place for place, line in enumerate(lines) if line.strip()]
    near = [bool(found[place]) for place in filled]
    many = sum(near) >= max(FOUND, MANY * len(near))
    return [
        place
        for number, place in enumerate(filled)
        if likely[place]
        and not found[place]
        and (many or sum(near[max(0, number - REACH) : number + REACH + 1]) >= FOUND)
    ]


def _folded(phrase: str) -> str:
    return " ".join(EDGES.sub("", phrase.casefold()).split())


def _is_links(line: str) -> bool:
    """Three short names or more between separators, none of them a sentence's end; no row of a table, no code."""
    if line[0] in "|-+>" or line[-1] == "|" or COMPLETE.search(line):
        return False
    parts = [part for part in SEPARATOR.split(line) if part.strip()]
    return len(parts) >= 3 and all(_is_name(part) for part in parts) and not CODE.search(_without_separators(line))


def _without_separators(line: str) -> str:
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
        if count >= RUN and (phrases_in >= KNOWN * count or names_in >= NAMED):  # else it is a list of names
            runs.append((start, end))
        count = phrases_in = names_in = 0
    return runs


def _in_menu(line: str) -> bool:
    """As short as a menu's line, and nothing that an author would have marked or ended."""
    bare = line.strip()
    return len(bare) <= 40 and _is_menu_like(bare)


@lru_cache(maxsize=LINES)
def _is_menu_like(bare: str) -> bool:
    if bare[-1] == "|" or COMPLETE.search(bare) or AUTHORED.match(bare) or CODE.search(bare):
        return False
    if not WORDED.search(bare):
        return False
    return word_count(bare) <= SHORT and (bare[0].isupper() or IDEOGRAPH.search(bare) is not None)
