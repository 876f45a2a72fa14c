"""A tree of letters finds what the plain alternatives find."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from filters.literals import any_of

PHRASES = ["share", "share this", "shared", "log in", "a.b", "c++", "分享", "分享到", "分", "app", "(c) 20"]


def plainly(text: str) -> list[str]:
    edged = (
        re.escape(phrase) if re.search("[一-鿿]", phrase) else rf"(?<![a-z]){re.escape(phrase)}(?![a-z])"
        for phrase in sorted(PHRASES, key=len, reverse=True)
    )
    return re.findall("|".join(edged), text)


@given(st.lists(st.sampled_from([*PHRASES, " ", "x", "s", "到", "."]), max_size=8).map("".join))
def test_the_same_is_found_and_the_longest_comes_first(text: str) -> None:
    assert any_of(PHRASES).findall(text) == plainly(text)


def test_case_is_folded_once() -> None:
    assert any_of(["ICP备", "APP"]).findall("京icp备12 app apple") == ["icp备", "app"]
