"""Decontamination: how much of a benchmark's items stands in a text, by their words and by the shape of their code.

Words come from the one shared split. A question that is too short to be told from chance is looked for together with
its answers; what is too short even then is counted as not checked. Functions are compared by the shape of their syntax
trees, so that renamed variables hide nothing; a function is as similar as the smaller of both says of the larger. Of a
short function a part says little, but the whole of its tree in another text is no chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl
import pyarrow as pa
import xxhash

from filters.batch import slices, text_series
from filters.benchmarks import Item, load_benchmarks
from filters.config import DecontaminateConfig
from filters.gram_index import GramIndex, Matches
from filters.program_look import ProgramLook
from filters.program_shape import blocks, functions, tokens_of
from filters.segments import offsets_of
from filters.words import Words, split_words

LEAST_BITS = 60.0  # worth of a passage below which half of it in a text may be chance
ANSWER_BITS = 120.0  # an answer alone: worked solutions, not "the mitochondria"
CODE_BITS = 60.0
CODE_GRAM = 6  # tokens of a syntax tree, about one expression
SAME_TOKENS = 12  # from which equal trees are no chance: 3 of 2,500 files of Python's library hold such a one of 570
TOKENS_AT_ONCE = 1 << 18  # of syntax trees
CODE_GATE = r"\bdef\s"
LOOKED = 0.8  # similarity of trees from which a look misses none, see `filters.program_look`


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an item that is looked for."""

    item: Item
    part: str  # question | item | answer | code

    @property
    def name(self) -> str:
        """What a verdict's detail says."""
        return f"{self.item.name} {self.part}"


class Decontaminator:
    """The index of some benchmarks. Columns of `score` are a pure function of text, benchmarks and config."""

    def __init__(self, items: Sequence[Item], config: DecontaminateConfig) -> None:
        self._config = config
        self.passages, self._words = _word_passages(items, config.ngram)
        with_code = [item for item in items if item.code]
        shapes = [(item, shape) for item in with_code for shape in functions(item.code)]
        self.programs = [Passage(item, "code") for item, _ in shapes]
        self._code = GramIndex(*_hashed([shape for _, shape in shapes]), CODE_GRAM, CODE_BITS)
        self._same = {_name_of(shape): place for place, (_, shape) in enumerate(shapes) if len(shape) >= SAME_TOKENS}
        self._look = ProgramLook([block for item in with_code for block in blocks(item.code)])
        self._code_lengths = np.array([len(shape) for _, shape in shapes], dtype=np.int64)
        seen = self.checked_items()
        self.unchecked = dict(Counter(item.benchmark for item in items if item.name not in seen))

    def checked_items(self) -> set[str]:
        """Names of the items that can be found at all; the others are too short to be told from chance."""
        seen = {passage.item.name for passage, good in zip(self.passages, self._words.checked, strict=True) if good}
        seen |= {self.programs[place].item.name for place in self._same.values()}
        return seen | {
            passage.item.name for passage, good in zip(self.programs, self._code.checked, strict=True) if good
        }

    def score(self, texts: pl.Series, words: Words | None = None) -> dict[str, np.ndarray]:
        """`contaminated.ngram` and `contaminated.code` (float32, the greatest share found, 0 below half of what would
        reject), and `contaminated.by`, which piece of which item that is. Code that is less than `LOOKED` alike
        counts as 0 as well, and most of it is told by a look and not parsed, unless less than that would reject."""
        words = words or split_words(texts)
        by_words = self._words.find(_flat(words), words.offsets, self._config.coverage / 2)
        values = {"ngram": np.zeros(len(texts), np.float32), "code": np.zeros(len(texts), np.float32)}
        names = np.full(len(texts), "", dtype=object)
        for text, passage, share in _rows(by_words):
            if share > values["ngram"][text]:
                values["ngram"][text], names[text] = share, self.passages[passage].name
        for text, passage, share in self._same_shape(texts, self._config.code >= LOOKED):
            if share > values["code"][text]:
                values["code"][text] = share
                if values["ngram"][text] < self._config.coverage:
                    names[text] = self.programs[passage].name
        return {f"contaminated.{name}": column for name, column in values.items()} | {"contaminated.by": names}

    def items_in(self, texts: pl.Series) -> dict[str, tuple[float, float]]:
        """The other way round: the greatest share of each item's words and of its code that stands in one of the texts, by
        the item's name; items of which less than half of what would reject is there are left out."""
        words = split_words(texts)
        found: dict[str, tuple[float, float]] = {}
        for _, passage, share in _rows(self._words.find(_flat(words), words.offsets, self._config.coverage / 2)):
            name = self.passages[passage].item.name
            found[name] = (max(share, found.get(name, (0.0, 0.0))[0]), 0.0)
        for _, passage, share in self._same_shape(texts):
            name = self.programs[passage].item.name
            by_words, by_code = found.get(name, (0.0, 0.0))
            found[name] = (by_words, max(share, by_code))
        return found

    def by_words(self, words: Words) -> np.ndarray:
        """`contaminated.ngram` alone, for texts that are split already."""
        values = np.zeros(len(words.offsets) - 1, np.float32)
        for text, _, share in _rows(self._words.find(_flat(words), words.offsets, self._config.coverage / 2)):
            values[text] = max(values[text], np.float32(share))
        return values

    def _same_shape(self, texts: pl.Series, look: bool = False) -> Iterator[tuple[int, int, float]]:
        """(text, passage, similarity) of functions that resemble one of a benchmark; after a look all that are much alike."""
        if not self.programs:
            return
        shaped = (
            (owner, shape) for owner, block in self._blocks(texts, look) if (shape := tokens_of(block)) is not None
        )
        least = LOOKED if look else 0.0
        for group in _grouped(shaped):
            yield from self._alike(group, least)

    def _alike(self, functions: Sequence[tuple[int, list[str]]], least: float) -> Iterator[tuple[int, int, float]]:
        owners, shapes = [owner for owner, _ in functions], [shape for _, shape in functions]
        for owner, shape in functions:
            if (same := self._same.get(_name_of(shape))) is not None:
                yield owner, same, 1.0
        for function, passage, share in _rows(self._code.find(*_hashed(shapes), least or self._config.code / 2)):
            similarity = share * min(1.0, float(self._code_lengths[passage]) / max(1, len(shapes[function])))
            if similarity >= least:
                yield owners[function], passage, similarity

    def _blocks(self, texts: pl.Series, look: bool) -> Iterator[tuple[int, str]]:
        """(text, function) of all functions, or of those that pass the look."""
        some = np.flatnonzero(texts.str.contains(CODE_GATE).to_numpy()).tolist()
        found = [(index, block) for index in some for block in blocks(texts[index])]
        if not look:
            return iter(found)
        likely = self._look.likely([block for _, block in found]).tolist()
        return (pair for pair, good in zip(found, likely, strict=True) if good)


@lru_cache(maxsize=4)
def decontaminator(config: DecontaminateConfig) -> Decontaminator | None:
    """The index of a recipe's benchmarks, built once a process; None when it names none."""
    return Decontaminator(load_benchmarks(config.against).items, config) if config.against else None


def benchmark_hash(config: DecontaminateConfig) -> dict[str, str]:
    """What the benchmarks say, as part of a stage's identity: a file may change under its name."""
    return {"benchmarks": load_benchmarks(config.against).digest} if config.against else {}


def contamination(documents: pa.Table, config: DecontaminateConfig) -> pa.Table:
    """`id` and the columns of `Decontaminator.score`, in the order of the documents."""
    index = decontaminator(config)
    assert index is not None  # asked only where benchmarks are named
    parts = [index.score(text_series(part)) for part in slices(documents)] or [
        index.score(pl.Series([], dtype=pl.String))
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    arrays = {
        name: pa.array(values, pa.string() if values.dtype == object else None) for name, values in columns.items()
    }
    return pa.table({"id": documents.column("id").combine_chunks(), **arrays})


def _word_passages(items: Sequence[Item], size: int) -> tuple[list[Passage], GramIndex]:
    """Questions; where they say too little, whole items; and answers that say much."""
    worth = _index([item.question for item in items], size).totals
    whole = ["\n".join(filter(None, (item.question, item.choices, item.answer))) for item in items]
    answers = _index([item.answer for item in items], size).totals
    chosen: list[tuple[Passage, str]] = []
    for place, item in enumerate(items):
        if worth[place] >= LEAST_BITS:
            chosen.append((Passage(item, "question"), item.question))
        else:
            chosen.append((Passage(item, "item"), whole[place]))
        if answers[place] >= ANSWER_BITS:
            chosen.append((Passage(item, "answer"), item.answer))
    return [passage for passage, _ in chosen], _index([text for _, text in chosen], size)


def _index(texts: Sequence[str], size: int) -> GramIndex:
    words = split_words(pl.Series(list(texts), dtype=pl.String))
    return GramIndex(_flat(words), words.offsets, size, LEAST_BITS)


def _grouped(shaped: Iterable[tuple[int, list[str]]]) -> Iterator[list[tuple[int, list[str]]]]:
    """Functions of whole texts together, as long as their tokens are few enough to be held; those of a text that has more are cut
    where that text alone says, so that its neighbours change nothing."""
    group, own = list[tuple[int, list[str]]](), list[tuple[int, list[str]]]()
    held = size = 0  # tokens of `group`, and of `own`, the text that is read
    for owner, shape in shaped:
        if own and (owner != own[0][0] or size >= TOKENS_AT_ONCE):
            if size >= TOKENS_AT_ONCE and group:
                yield group
                group, held = [], 0
            group.extend(own)
            held += size
            own, size = [], 0
            if held >= TOKENS_AT_ONCE:
                yield group
                group, held = [], 0
        own.append((owner, shape))
        size += len(shape)
    if group or own:
        yield group + own


def _flat(words: Words) -> np.ndarray:
    return words.hashes[words.codes] if len(words.codes) else np.zeros(0, dtype=np.uint64)


def _hashed(rows: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
    known: dict[str, int] = {}
    flat = [
        known.get(token) or known.setdefault(token, xxhash.xxh3_64_intdigest(token.encode("utf-8", "replace")))
        for row in rows
        for token in row
    ]
    return np.array(flat, dtype=np.uint64), offsets_of(np.array([len(row) for row in rows], dtype=np.int64))


def _name_of(shape: Sequence[str]) -> bytes:
    return xxhash.xxh3_128_digest("\0".join(shape).encode("utf-8", "replace"))


def _rows(matches: Matches) -> Iterator[tuple[int, int, float]]:
    return zip(matches.texts.tolist(), matches.passages.tolist(), matches.coverage.tolist(), strict=True)
