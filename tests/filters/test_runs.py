"""Runs by arithmetic against the regular expressions that define them."""

from __future__ import annotations

import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.runs import split_runs
from filters.words import WORD, given_words, split_words

ALPHABET = "aZ09_ -.,\n\t\u3000\u00a0éßİ́中文字ひカ。，💡𠀀क्षไ한\u200d\x00"


def pieces(text: str) -> list[str]:
    runs = split_runs(pl.Series([text], dtype=pl.String))
    return [
        bytes(runs.data[start : start + size]).decode() for start, size in zip(runs.starts, runs.sizes, strict=True)
    ]


@settings(deadline=None)
@given(st.lists(st.text(alphabet=ALPHABET, max_size=40), max_size=5))
def test_words_are_those_of_the_regular_expression(texts: list[str]) -> None:
    series = pl.Series(texts, dtype=pl.String)
    expected = series.str.to_lowercase().str.extract_all(WORD).to_list()
    words = split_words(series)
    found = words.vocabulary.take(words.codes).to_pylist()
    cuts = words.offsets.tolist()
    assert [found[a:b] for a, b in zip(cuts[:-1], cuts[1:], strict=True)] == expected  # noqa: RUF007
    assert len(set(words.vocabulary.to_pylist())) == len(words.vocabulary)


def test_given_words_are_encoded_as_those_that_were_split() -> None:
    given, split = given_words(pl.Series([["a", "文", "a"], [], ["bc"]])), split_words(pl.Series(["A 文 a", "", "bc!"]))
    assert given.vocabulary.equals(split.vocabulary)
    for name in ("offsets", "codes", "hashes"):
        assert getattr(given, name).tolist() == getattr(split, name).tolist()


def test_every_character_that_a_regular_expression_calls_a_word_is_one() -> None:
    every = pl.Series(["".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))])
    words = split_words(every)
    assert words.vocabulary.take(words.codes).to_pylist() == every.str.to_lowercase().str.extract_all(WORD).to_list()[0]


def test_like_characters_stand_together_and_white_space_between_them_is_marked() -> None:
    text = " one  two,three\n\n中文x  "
    assert pieces(text) == ["one", "two", ",", "three", "中", "文", "x"]
    apart = split_runs(pl.Series([text, "", " ", "\u3000y z", "w"])).apart.tolist()
    assert apart == [False, True, False, False, True, False, False, False, True, False]


@pytest.mark.parametrize("size", [1, 7, 8, 9, 16, 63, 64, 65, 200])
def test_the_hash_of_a_word_sees_every_byte_and_nothing_else(size: int) -> None:
    word = ("abcdefghij" * 30)[:size]
    others = [word[:place] + "z" + word[place + 1 :] for place in range(size)] + [word + "a", word[:-1]]
    hashes = [int(split_words(pl.Series([f"x {text} tail"])).hashes[1]) for text in [word, *others] if text]
    assert int(split_words(pl.Series([f"{word}, other"])).hashes[0]) == hashes[0]
    assert len(set(hashes)) == len({text for text in (word, *others) if text})


def test_hashes_of_many_words_do_not_meet() -> None:
    hashes = split_words(pl.Series([" ".join(f"w{n}" for n in range(200_000))])).hashes
    assert len(np.unique(hashes)) == 200_000
    assert len(np.unique(hashes & np.uint64(0xFFFFFFFF))) > 199_950  # in half of the bits five are expected to


def test_one_endless_word_costs_linear_time() -> None:
    begun = time.process_time()
    assert split_words(pl.Series(["x" * 20_000_000])).counts.tolist() == [1]
    assert time.process_time() - begun < 5
