"""The measures of likeness, against counts by hand, in both scripts."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.diversity import compression, gram_sets, measure, most_common, novelty, openings

WORDS = st.lists(st.sampled_from(["the", "cat", "sat", "on", "mat", "und", "x1"]), max_size=30)


def grams_by_hand(words: list[str], size: int = 4) -> list[tuple[str, ...]]:
    return [tuple(words[place : place + size]) for place in range(len(words) - size + 1)]


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_distinct_grams_are_those_of_a_set_of_tuples(texts: list[list[str]]) -> None:
    sets = gram_sets([" ".join(words) for words in texts])
    assert [len(found) for found in sets] == [len(set(grams_by_hand(words))) for words in texts]
    whole = gram_sets([" ".join(words) for words in texts], distinct=False)
    assert [len(found) for found in whole] == [len(grams_by_hand(words)) for words in texts]
    together = np.unique(np.concatenate(whole))
    assert len(together) == len({gram for words in texts for gram in grams_by_hand(words)}), "the same across texts"


@given(WORDS, WORDS)
def test_novelty_is_the_share_of_grams_that_are_not_known(new: list[str], old: list[str]) -> None:
    mine, known = set(grams_by_hand(new)), set(grams_by_hand(old))
    found = novelty(*gram_sets([" ".join(new), " ".join(old)]))
    assert found == pytest.approx(len(mine - known) / len(mine) if mine else 1.0)


def test_an_opening_is_six_words_or_ten_characters_and_none_of_a_shorter_text() -> None:
    assert openings(["Once upon a time, there WAS a fox.", "too short"]) == ["once upon a time there was", ""]
    assert openings(["从前有一个很老的人住在山里。"], "zh") == ["从前有一个很老的人住"]


def test_the_most_common_of_equals_is_the_first_by_name_and_empty_keys_count_in_the_share_only() -> None:
    assert most_common(["b", "a", "", ""]) == ("a", 0.25)
    assert most_common(["", ""]) == ("", 0.0)
    assert most_common([]) == ("", 0.0)
    assert most_common(["a", "a", "b"], of=6) == ("a", pytest.approx(1 / 3))


def test_texts_alike_measure_as_alike_and_different_ones_do_not() -> None:
    alike = measure(["Water boils at one hundred degrees at sea level."] * 20)
    varied = measure([f"w{a} x{a} y{a} z{a} u{a} v{a} t{a} s{a}" for a in range(20)])
    assert (alike.opening_share, varied.opening_share) == (1.0, 0.05)
    assert alike.opening == "water boils at one hundred degrees"
    assert alike.distinct == pytest.approx(6 / (20 * 6))
    assert varied.distinct == 1.0
    assert alike.compression > 3 * varied.compression
    assert (alike.texts, alike.words) == (20, 180)


def test_compression_is_bytes_over_bytes_of_gzip_and_nothing_is_one() -> None:
    texts = ["one text", "another"]
    data = "\n\n".join(texts).encode()
    assert compression(texts) == len(data) / len(gzip.compress(data, 9, mtime=0))
    assert compression([]) == 1.0
    assert measure([]).distinct == 1.0
