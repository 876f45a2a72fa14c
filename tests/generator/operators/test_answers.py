"""Answers that say the same are one answer, and answers that do not are two."""

from __future__ import annotations

import pytest

from generator.operators.answers import normalised

SAME = [
    ("12", "12.0", " 12. ", "(12)", "$12$", r"\boxed{12}", "The answer is 12", "twelve", "十二", "答案：十二。", "１２", "+12"),
    ("0.5", "1/2", r"\frac{1}{2}", "50%", "二分之一", "百分之五十", ".5", "零点五"),
    ("1,250", "1250", "一千二百五十", "1.25e3", "1.25 × 10^3"),
    ("-3", "−3", "负三", "-3.00"),
    ("12 cm", "12cm", "12.0 cm."),
    ("5千克", "五千克", "５ 千克"),
    ("20000元", "2万元", "两万元", "20,000 元"),
    ("B", "(b)", "b.", "Option B", "选项B", "选B", "Ｂ"),
    ("Paris", "paris.", "“Paris”", "the Paris"),
    ("光合作用", "光合作用。", "「光合作用」"),
    ("是", "是。"),
    ("三百零五", "305"),
    ("一亿二千万", "120000000"),
]  # fmt: skip
DIFFERENT = [
    ("12", "21"), ("12 cm", "12 m"), ("五千克", "五千"), ("A", "B"), ("2/3", "3/2"), ("yes", "no"), ("3", "-3"), ("一般", "一"),
    ("x+1", "x-1"), ("0.5", "5"), ("千克", "1000"),
]  # fmt: skip


@pytest.mark.parametrize("group", SAME, ids=[group[0] for group in SAME])
def test_one_answer_written_in_many_ways_is_one(group: tuple[str, ...]) -> None:
    assert len({normalised(item) for item in group}) == 1, [normalised(item) for item in group]


@pytest.mark.parametrize("first, second", DIFFERENT)
def test_two_answers_stay_two(first: str, second: str) -> None:
    assert normalised(first) != normalised(second)


@pytest.mark.parametrize(
    "odd", ["", "   ", "1/0", "九" * 300, "1e999", "分之", "万", "负", "\\boxed{}", "十分之零", "½", "九万亿亿"]
)
def test_no_answer_makes_it_fail(odd: str) -> None:
    assert isinstance(normalised(odd), str)
