"""Near-duplicate titles are found exactly, and without comparing every pair."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.library import load_library
from prompts.near import likeness, near_pairs

WORDS = ["rain", "train", "drain", "moon", "noon", "spring", "tide", "tides", "the", "of", "潮", "汐", "海", "水"]
TITLES = st.lists(st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join), max_size=14)


@given(TITLES, st.sampled_from([0.2, 0.5, 0.75, 1.0]))
def test_the_pairs_are_those_of_comparing_every_title_with_every_other(titles: list[str], least: float) -> None:
    slow = {(i, j) for j in range(len(titles)) for i in range(j) if likeness(titles[i], titles[j]) >= least}
    assert {(i, j) for i, j, _ in near_pairs(titles, least)} == slow


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The Tides", "the  tides!"),
        ("Ｔｉｄｅｓ", "tides"),
        ("潮 汐", "潮汐"),
        ("Ohm’s law", "Ohms law"),
        ("CAFÉ", "café"),
    ],
)
def test_case_width_spaces_and_punctuation_make_no_difference(first: str, second: str) -> None:
    assert likeness(first, second) == 1


def test_near_is_not_only_equal_and_far_is_far() -> None:
    assert likeness("The law of large numbers", "Law of large numbers") > 0.75
    assert likeness("渗透作用", "渗透作用的原理") > 0.3
    assert likeness("Binary search", "Photosynthesis") < 0.1


def test_a_library_of_four_thousand_titles_takes_seconds() -> None:
    draw, library = random.Random(3), load_library()
    titles = [topic.title for domain in library.domains.values() for topic in domain.leaves]
    many = [f"{draw.choice(titles)} in {draw.choice(titles)}" for _ in range(4_000)]
    begun = time.process_time()
    found = {(i, j) for i, j, _ in near_pairs([*many, many[0] + "s"], 0.75)}
    assert time.process_time() - begun < 15
    assert (0, 4_000) in found
