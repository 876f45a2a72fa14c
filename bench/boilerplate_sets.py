"""What everybody repeats and nobody should lose a text for: licences, frames of web pages, instructions of exams.

Each set is searched twice: with the benchmarks as they are, and with benchmarks whose every item has a text of the set
before it, as benchmarks have a licence or an instruction: what all items share is no leak of one of them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random

from corpus.document import Document
from corpus.readers import read_files
from filters.benchmarks import Item
from filters.boilerplate import boilerplate_lines
from filters.config import DecontaminateConfig
from filters.decontaminate import Decontaminator
from filters.planted_leaks import flags

PLACES = (Path(sys.base_prefix) / "lib", Path(sys.prefix) / "lib", Path("/usr/share/doc"), Path("/usr/share/common-licenses"))  # fmt: skip
LICENCE = re.compile(r"(?i)^(?:licen[cs]e|copying|notice|copyright|[al]?gpl|apache|bsd|artistic|mpl|gfdl)")
CHARACTERS, MOST, HEAD = 200, 3000, 120  # of a text at least; texts of a set; words before every item
BEGIN = ("Answer all questions.", "Read each question carefully before you answer it.", "This paper has {n} questions.",
         "Choose the best answer for each of the following questions.", "请认真阅读下列各题，并选出正确答案。", "Answer {n} of the {m} questions in this section.")  # fmt: skip
RULES = ("You have {n} minutes. No calculators, books or notes are allowed.", "Show all your work; answers without working receive no marks.",
         "Mark only one oval per question. If you change an answer, be sure to erase the first mark completely.",
         "For each item, fill in the blank with the word or phrase that best completes the sentence.",
         "Write a function that solves the following problem. Your code will be run against hidden tests.",
         "Think step by step, then give the final answer on a line of its own.", "本题共{n}小题，每小题{m}分，在每小题给出的四个选项中，只有一项是符合题目要求的。")  # fmt: skip
END = ("Do not turn over this page until you are told to do so.", "Total marks: {m}.", "Write your name and candidate number on every sheet.",
       "Which of the following is correct?", "Explain your reasoning in your own words.", "请将答案填写在答题卡上。")  # fmt: skip


def sets(pages: Sequence[str], seed: int = 17) -> dict[str, list[str]]:
    """The sets that can be had here: frames need `pages`, files of pages with their menus left in."""
    made = {
        "licences and notices": _licences(),
        "heads of source files": _heads(),
        "instructions of exams": _instructions(),
    }
    made |= {"frames of pages": _frames(pages)} if pages else {}
    found = {name: sorted({text for text in texts if len(text) >= (1 if "exams" in name else CHARACTERS)}) for name, texts in made.items()}  # fmt: skip
    return {name: Random(seed).sample(texts, min(MOST, len(texts))) for name, texts in found.items()}


def table(items: Sequence[Item], named: Mapping[str, Sequence[str]], config: DecontaminateConfig) -> Iterator[str]:
    """One line a set."""
    plain = Decontaminator(items, config)
    for name, texts in named.items():
        before = " ".join(max(texts[:50], key=len).split()[:HEAD])
        shared = Decontaminator([replace(item, question=f"{before}\n{item.question}") for item in items], config)
        counts = [int(flags(index, texts, config).sum()) for index in (plain, shared)]
        yield f"boilerplate: {name:<24} {counts[0]} of {len(texts):,} flagged, {counts[1]} where every item begins with such a text"


def _licences() -> Iterator[str]:
    for place in PLACES:
        for path in sorted(place.rglob("*")) if place.exists() else ():
            if LICENCE.match(path.name) and path.is_file() and path.suffix not in (".py", ".pyc", ".gz"):
                yield path.read_text("utf-8", "replace")


def _heads() -> Iterator[str]:
    """The comment that a source file begins with."""
    for place in PLACES[:2]:
        for path in sorted(place.rglob("*.py")):
            lines = path.read_text("utf-8", "replace").splitlines()
            end = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
            yield "\n".join(lines[:end])


def _instructions() -> Iterator[str]:
    for number, parts in enumerate(product(BEGIN, RULES, END)):
        yield " ".join(parts).format(n=10 + number % 50, m=60 + number % 40)


def _frames(pages: Sequence[str]) -> Iterator[str]:
    """Of each page the lines that are its frame."""
    for row in read_files(pages):
        if isinstance(row, Document):
            lines = row.text.split("\n")
            found = boilerplate_lines(lines)
            yield "\n".join(line for line, why in zip(lines, found, strict=True) if why)
