from __future__ import annotations

import subprocess
import sys

import polars as pl
import pytest

from filters.words import split_words

KETTLE = 1186223479428133417  # of words of version 2: other hashes need another version


def words_of(text: str) -> list[str]:
    words = split_words(pl.Series([text]))
    return [words.vocabulary[code].as_py() for code in words.codes.tolist()]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("The cat, the CAT!", ["the", "cat", "the", "cat"]),
        ("snake_case and x2", ["snake_case", "and", "x2"]),
        ("机器学习 uses GPU卡", ["机", "器", "学", "习", "uses", "gpu", "卡"]),
        ("ひらカタ", ["ひ", "ら", "カ", "タ"]),
        ("Привет, мир", ["привет", "мир"]),
        ("... -- !!", []),
        ("", []),
        ("a\x00b\u2028c", ["a", "b", "c"]),
    ],
)
def test_words_are_lower_case_runs_and_single_ideographs(text: str, expected: list[str]) -> None:
    assert words_of(text) == expected


def test_empty_texts_between_others_keep_their_place() -> None:
    words = split_words(pl.Series(["", "one two", "", "three", ""]))
    assert words.counts.tolist() == [0, 2, 0, 1, 0]
    assert [words.vocabulary[code].as_py() for code in words.codes.tolist()] == ["one", "two", "three"]


def test_hashes_are_the_same_in_every_process_and_batch() -> None:
    program = (
        "import polars as pl; from filters.words import split_words as s; "
        "w = s(pl.Series(['other text', 'kettle'])); print(w.hashes[w.codes[-1]])"
    )
    elsewhere = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(elsewhere.stdout) == KETTLE
    assert split_words(pl.Series(["kettle"])).hashes[0] == KETTLE
