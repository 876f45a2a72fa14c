"""A look-up by meaning finds paraphrases that hold no five words in a row of the item; the encoder is handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
import pytest
import xxhash

from filters.benchmarks import Item
from filters.config import DecontaminateConfig
from filters.decontaminate import Decontaminator
from filters.paraphrased import paraphrase, paraphrase_test
from filters.paraphrases import ParaphraseIndex
from filters.planted_leaks import planted
from filters.vectors import unit

ABOUT = {
    "purchased": "buy",
    "bought": "buy",
    "companions": "friend",
    "friends": "friend",
    "apiece": "each",
    "kids": "child",
    "children": "child",
}
TOPICS = ["apples", "lanterns", "violins", "tractors", "kites", "candles", "maps", "barrels", "ropes", "clocks", "boats", "saddles"]  # fmt: skip
PLACES = ["Lima", "Oslo", "Cairo", "Hanoi", "Quito", "Dakar", "Minsk", "Perth", "Sofia", "Turin", "Tunis", "Zagreb"]
ITEMS = [
    Item(f"shop#{n}", "shop", f"Maria bought 12 {topic} in {place} for her friends, and each of the children got 3 of the {topic}. "
         f"How many {topic} did Maria buy for the harbour of {place} if {n + 2} were broken on the way?")
    for n, (topic, place) in enumerate(zip(TOPICS, PLACES, strict=True))
]  # fmt: skip


def embed(texts: Sequence[str]) -> np.ndarray:
    """What the words are about, each at a place of its own: synonyms fall together."""
    vectors = np.zeros((len(texts), 512), np.float32)
    for row, text in enumerate(texts):
        for word in "".join(char if char.isalnum() else " " for char in text.lower()).split():
            if len(word) > 3:
                vectors[row, xxhash.xxh3_64_intdigest(ABOUT.get(word, word).encode()) % 512] += 1
    return unit(vectors)


def test_a_paraphrase_in_a_text_is_named_with_its_item(prose: Callable[[int, int], str]) -> None:
    texts = [planted(prose(n, 80), paraphrase(item.question)) for n, item in enumerate(ITEMS)]
    config = DecontaminateConfig()
    found = Decontaminator(ITEMS, config).score(pl.Series(texts))["contaminated.ngram"]
    assert (found < config.coverage).all()
    near = ParaphraseIndex(ITEMS, embed).nearest(texts)
    assert [row.item for row in near] == [item.name for item in ITEMS]
    assert min(row.similarity for row in near) > 0.5
    other = ParaphraseIndex(ITEMS, embed).nearest([prose(99, 200)])
    assert other[0].similarity < 0.4


def test_the_self_test_counts_what_is_found_by_meaning_and_by_words(prose: Callable[[int, int], str]) -> None:
    (row,) = paraphrase_test(ITEMS, [prose(n, 80) for n in range(5)], DecontaminateConfig(paraphrase=0.5), embed, 20)
    assert (row.planted, row.found, row.by_words) == (6, 6, 0)
    assert (row.neighbours, row.hosts, row.host_alarms) == (6, 5, 0)


def test_short_questions_and_empty_texts_are_passed_over() -> None:
    index = ParaphraseIndex([Item("b#1", "b", "What is it?")], embed)
    assert index.nearest(["Some text that is long enough to be a window of its own."]) == []
    assert ParaphraseIndex(ITEMS, embed).nearest(["", "short"]) == []


@pytest.mark.parametrize("text, told", [
    ("She sells the eggs, and then she buys 21 books for $2 each.", "twenty-one"),
    ("How many books did the children buy in the school?", "kids"),
])  # fmt: skip
def test_a_paraphrase_says_it_in_other_words(text: str, told: str) -> None:
    other = paraphrase(text)
    assert told in other
    own = text.split()
    assert not any(" ".join(own[place : place + 5]) in other for place in range(len(own) - 4))


def test_what_is_no_english_is_not_paraphrased() -> None:
    assert paraphrase("这条河发源于北边的山里，流到海边一共要走两百公里。") == ""
    assert paraphrase("x = 1") == ""
