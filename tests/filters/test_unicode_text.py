"""Characters are mended where something is wrong with them, and nowhere else; a second pass changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.unicode_text import mend_characters

CASES = [
    ("mojibake", "the cafÃ© is open", "the café is open"),
    ("mojibake", "itâ€™s a test", "it’s a test"),
    ("breaks", "one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
    ("unseen", "a\u200bb\ufeffc\x07d", "abcd"),
    ("unseen", "10\u00a0km", "10 km"),
    ("nfc", "e\u0301tude", "étude"),
    ("widths", "ＡＢＣ　１２３！", "ABC 123!"),
    ("widths", "温度是２５度,湿度很高.", "温度是25度，湿度很高。"),
    ("widths", "他说:“好”", "他说：“好”"),
    ("widths", "水(分子)由氢(H)组成", "水（分子）由氢(H)组成"),
    ("widths", "水(氢(氧)和(铁))与(钙", "水（氢（氧）和（铁））与(钙"),
    ("widths", "水(氢(H)和(铁)与\n钙)", "水(氢(H)和（铁）与\n钙)"),
    ("widths", "这 是 中 文", "这是中文"),
]
LEFT = [
    "x² + y³ = ½ and Ω ≠ Ω", "naïve façade, Ångström, 5 µm", "比例是3.5:1，约等于3,500。", "👩‍👩‍👧 and क्षि", "def f(x):\n    return {1: 2}",
    "苹果公司(Apple)发布了iPhone 15。", "http://例子.测试/a,b?c", "",
]  # fmt: skip


@pytest.mark.parametrize(("step", "text", "mended"), CASES)
def test_what_is_wrong_is_mended_and_named(step: str, text: str, mended: str) -> None:
    found, steps = mend_characters(text)
    assert found == mended
    assert step in steps


@pytest.mark.parametrize("text", LEFT)
def test_what_is_right_is_left(text: str) -> None:
    assert mend_characters(text) == (text, ())


@given(st.text(alphabet=st.sampled_from("ab1 ,.;:?!()（），。中文的é\u0301Ａ１　\u200b\r\n\u00a0Ã©â€™”“"), max_size=60))
def test_a_second_pass_changes_nothing(text: str) -> None:
    once, _ = mend_characters(text)
    twice, _ = mend_characters(once)
    thrice, _ = mend_characters(twice)
    assert twice == thrice
