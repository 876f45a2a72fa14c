"""Lines with a weight each, from which the weights of frame lines are learned: of frames, and of authors.

Frames: lines that the markup of pages says are theirs, the more sites the heavier; wordings of interfaces; the phrases that the
filter ships; the templates of `bench.frame_lines`. Authors: lines between the paragraphs of pages, and every line and
some pieces of clean texts. Of both: `written_frames.txt`, lines that were written to be learned from. Sites and clean texts are split by name: what is held out is never learned from.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any

import yaml

from bench.frame_lines import all_templates, written
from bench.frame_wordings import wordings as written_by_others
from bench.page_lines import CONTENT, FRAME
from filters.boilerplate import AUTHORED, boilerplate_fenced, may_be_weighed
from filters.frame_score import HAN

MARK = re.compile(r"^\s*(?:#+|[-*+•]|\d+[.)]|>|\([a-z]\))\s+")
PIECES = re.compile(r"[,.;:!?，。；：！？、]")
WRITTEN = 8.0  # weight of a line that was written to be learned from
MOST = 30  # weight of a line that authors write again and again
SAID = ".。!！?？"  # at the end of an interface's wording: a message to its user, which no page shows
BY_SITES = (0.1, 2.0, 4.0)  # weight of a line on one site, on two, on more
LONG, LONGER = (
    (0.05, 0.02),
    (6, 14),
)  # weights of longer lines of one site, words or characters from which on: headlines
Examples = dict[str, float]
Page = dict[str, Any]


def part_of(name: str) -> str:
    """`threshold`, `report` (15 in a hundred each) or `learn`."""
    place = blake2b(name.encode(), digest_size=2).digest()[0] / 256
    return "threshold" if place < 0.15 else "report" if place < 0.3 else "learn"


def pages(file: Path, language: str) -> Iterator[Page]:
    """Rows of `bench.page_lines` in the language: `site`, `language`, `lines` of [text, label]."""
    with file.open(encoding="utf-8") as rows:
        yield from (row for row in map(json.loads, rows) if row["language"] == language)


def of_frames(rows: Iterable[Page], wordings: Iterable[str], chinese: bool) -> Examples:
    """All positive examples."""
    found: Examples = {}
    sites: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        for text, label in row["lines"]:
            if label == FRAME and may_be_weighed(text):
                sites[re.sub(r"\d+", "0", text)][row["site"]] = text
    for by_site in sites.values():
        text = next(iter(by_site.values()))
        found[text] = _of_one_site(text) if len(by_site) == 1 else BY_SITES[min(len(by_site), 3) - 1]
    for text in wordings:
        if (HAN.search(text) is not None) == chinese and text[-1] not in SAID and may_be_weighed(text):
            found.setdefault(text, 1.0)
    found |= dict.fromkeys(_phrases(chinese), 2.0)
    filled = written(all_templates(chinese), chinese, Random(1))
    found |= dict.fromkeys((text for text in filled if may_be_weighed(text)), 2.0)
    return found | _written(chinese, "frame")


def _written(chinese: bool, what: str) -> Examples:
    lines = written_by_others("written", "zh" if chinese else "en", what)
    return dict.fromkeys(filter(may_be_weighed, lines), WRITTEN)


def _of_one_site(text: str) -> float:
    size = len(text) if HAN.search(text) else 2 * (text.count(" ") + 1)
    short, middle = LONGER
    return BY_SITES[0] if size <= short * 2 else LONG[0] if size <= middle * 2 else LONG[1]


def _phrases(chinese: bool) -> list[str]:
    lists = yaml.safe_load((Path(__file__).parents[1] / "filters/boilerplate.yaml").read_text("utf-8"))
    chosen = lists["zh" if chinese else "en"]
    return [str(phrase) for name in ("whole", "holds", "begins") for phrase in chosen[name]]


def of_authors(rows: Iterable[Page], texts: Sequence[str], chinese: bool, pieces: float, draw: Random) -> Examples:
    """All negative examples. Of `pieces` of the lines of clean texts a piece is taken too: authors write headings and
    captions as short as that."""
    often = Counter(text for row in rows for text, label in row["lines"] if label == CONTENT and may_be_weighed(text))
    found: Examples = {}
    for text in texts:
        for line in unfenced(text):
            bare = MARK.sub("", line).strip().strip("*_` ")
            if may_be_weighed(bare) and (len(bare) < 60 or draw.random() < 0.3):
                often[bare] += 1
            if draw.random() < pieces and not AUTHORED.match(line):
                for piece in _pieces(line, draw):
                    found[piece] = 0.5
    return found | {text: float(min(times, MOST)) for text, times in often.items()} | _written(chinese, "content")


def unfenced(text: str) -> list[str]:
    """The lines that are more than blanks and in no code fence."""
    lines = text.split("\n")
    return [line for line, inside in zip(lines, boilerplate_fenced(lines), strict=True) if line.strip() and not inside]


def _pieces(line: str, draw: Random) -> Iterator[str]:
    """What stands between two marks, and a few words in a row."""
    parts = [part.strip() for part in PIECES.split(line) if part.strip()]
    if parts and may_be_weighed(part := draw.choice(parts)):
        yield part
    words = line.split()
    if len(words) > 4:
        start = draw.randrange(len(words) - 4)
        row = " ".join(words[start : start + draw.randrange(1, 5)])
        if may_be_weighed(row):
            yield row.capitalize()
