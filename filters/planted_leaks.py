"""Decontamination measures itself: leaks that it knows of are planted in clean texts, and it has to find them.

Kinds of leak: `verbatim`; `shortened` to the first 60 % of its words; `edited`, every tenth word gone; `renamed`, all
names that the author of the code chose replaced in code and words; `renamed code`, the same without its words;
`reworded`, sentences in reverse order and every third word replaced. The last is milder than what a person or a model
makes of a text, so its recall is an upper bound for paraphrases.

False alarms are counted three times: on the host texts; on items of the same benchmarks that are left out of the index,
which are as like the indexed ones as texts get without being copies; and on host texts under a licence and an instruction
that stand before every item as well.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from corpus.errors import RecipeError
from corpus.ids import digest, seed_from
from filters.benchmarks import Item
from filters.config import DecontaminateConfig
from filters.decontaminate import Decontaminator
from filters.program_shape import FIXED

SAMPLE = 300  # items planted for each kind and benchmark
BLOCK = 2000  # texts scored at once
FORM = """Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software. The above copyright notice and this
permission notice shall be included in all copies or substantial portions of the Software.
Below is an instruction that describes a task. Write a response that appropriately completes the request. Read the following
question carefully, think step by step, and give the final answer on a line of its own."""
SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
MARGIN = re.compile(r"\n(?=[^\s)\]}#])")  # before a line that begins at the margin
PIECE = re.compile(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+|\s+")  # a character where words have no spaces between them


@dataclass(frozen=True, slots=True)
class Recall:
    """Planted leaks of one kind from one benchmark. `unchecked` items are too short to be looked for; none is planted."""

    benchmark: str
    kind: str
    planted: int
    found: int
    unchecked: int

    @property
    def share(self) -> float:
        """Found of planted."""
        return self.found / self.planted if self.planted else 0.0


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What the self-test saw."""

    recalls: list[Recall]
    hosts: int
    alarms: int  # host texts that are flagged as they are: false drops where the texts are clean
    neighbours: int
    neighbour_alarms: int  # items that are left out of the index and flagged for another item's sake
    forms: int
    form_alarms: int  # host texts that share a licence and an instruction with every item, flagged for that

    def recall(self, kind: str) -> float:
        """Over all benchmarks."""
        rows = [row for row in self.recalls if row.kind == kind]
        planted = sum(row.planted for row in rows)
        return sum(row.found for row in rows) / planted if planted else 0.0


def self_test(
    items: Sequence[Item], hosts: Sequence[str], config: DecontaminateConfig, sample: int = SAMPLE
) -> SelfTest:
    """Plant, look, count. Raises `RecipeError` where there is no text to plant in."""
    index = Decontaminator(items, config)
    flagged = flags(index, hosts, config)
    clean = [host for host, flag in zip(hosts, flagged, strict=True) if not flag]
    if not clean:
        raise RecipeError("there is no clean text to plant leaks in", hint="name files that hold no benchmark")
    checked = index.checked_items()
    recalls = []
    for name in dict.fromkeys(item.benchmark for item in items):
        own = [item for item in items if item.benchmark == name]
        chosen = sorted((item for item in own if item.name in checked), key=lambda item: digest("leak", item.name))
        for kind, make in LEAKS.items():
            leaks = [(item, leak) for item in chosen[:sample] if (leak := make(item))]
            texts = [planted(clean[seed_from("host", kind, item.name) % len(clean)], leak) for item, leak in leaks]
            if texts:
                found = int(flags(index, texts, config).sum())
                recalls.append(Recall(name, kind, len(texts), found, index.unchecked.get(name, 0)))
    shared = _shared_form(items, clean, config)
    return SelfTest(recalls, len(hosts), int(flagged.sum()), *_neighbours(items, config), *shared)


def planted(host: str, leak: str) -> str:
    """The leak as a paragraph of its own in the middle of the host, between two lines of it and not inside of a function."""
    found = MARGIN.search(host, len(host) // 2)
    middle = found.start() if found else len(host)
    return f"{host[:middle]}\n\n{leak}\n\n{host[middle:].lstrip()}"


def flags(index: Decontaminator, texts: Sequence[str], config: DecontaminateConfig) -> np.ndarray:
    """Which texts would be rejected."""
    parts = [np.zeros(0, dtype=bool)]
    for start in range(0, len(texts), BLOCK):
        scores = index.score(pl.Series(list(texts[start : start + BLOCK]), dtype=pl.String))
        parts.append((scores["contaminated.ngram"] >= config.coverage) | (scores["contaminated.code"] >= config.code))
    return np.concatenate(parts)


def _neighbours(items: Sequence[Item], config: DecontaminateConfig) -> tuple[int, int]:
    halves: tuple[list[Item], list[Item]] = ([], [])
    for item in items:
        halves[seed_from("half", item.question, item.code) % 2].append(item)  # equal items fall into one half
    index = Decontaminator(halves[0], config)
    return len(halves[1]), int(flags(index, [whole(item) for item in halves[1]], config).sum())


def _shared_form(items: Sequence[Item], clean: Sequence[str], config: DecontaminateConfig) -> tuple[int, int]:
    index = Decontaminator([replace(item, question=f"{FORM}\n{item.question}") for item in items], config)
    texts = [f"{FORM}\n{text}" for text in clean[:BLOCK]]
    return len(texts), int(flags(index, texts, config).sum())


def whole(item: Item) -> str:
    """An item as a person would copy it."""
    head = "" if item.code and item.question in item.code else item.question
    return "\n".join(filter(None, (head, item.choices, item.answer, item.code)))


def shortened(item: Item) -> str:
    """The first 60 % of the words."""
    pieces = PIECE.findall(item.question)
    return "".join(pieces[: round(len(pieces) * 0.6)])


def edited(item: Item) -> str:
    """Every tenth word gone."""
    words = [piece for piece in PIECE.findall(item.question) if not piece.isspace()]
    return _joined(word for place, word in enumerate(words) if place % 10 != 5)


def renamed(item: Item) -> str:
    """The code with all chosen names replaced, wherever they stand; with the question where it is not in the code."""
    code = _with_other_names(item.code)
    return "\n".join(filter(None, ("" if item.question in item.code else item.question, code)))


def renamed_code(item: Item) -> str:
    """The same without any words: docstrings and comments go, and the question too."""
    try:
        tree = ast.parse(_with_other_names(item.code))
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree) if item.code else ""


def reworded(item: Item) -> str:
    """Sentences in reverse order, every third word another one."""
    sentences = [part for part in SENTENCE.split(item.question) if part and part.strip()]
    words = [piece for part in reversed(sentences) for piece in PIECE.findall(part) if not piece.isspace()]
    return _joined("indeed" if place % 3 == 1 else word for place, word in enumerate(words))


LEAKS: Mapping[str, Callable[[Item], str]] = {
    "verbatim": whole,
    "shortened": shortened,
    "edited": edited,
    "renamed": lambda item: renamed(item) if item.code else "",
    "renamed code": lambda item: renamed_code(item) if item.code else "",
    "reworded": reworded,
}


def _joined(words: Iterator[str]) -> str:
    """Words with spaces between them, characters without."""
    text = " ".join(words)
    return re.sub(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])", "", text)


def _with_other_names(code: str) -> str:
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return ""
    names = {name for node in ast.walk(tree) for name in _chosen(node)} - FIXED
    fresh = {name: f"item_{place}" for place, name in enumerate(sorted(names))}
    return re.sub(r"(?<![\w.])[A-Za-z_]\w*", lambda found: fresh.get(found[0], found[0]), code)


def _chosen(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
