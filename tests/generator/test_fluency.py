"""Chinese is told from a heap of Chinese characters, in both scripts, whatever of the prompt stands between them."""

from __future__ import annotations

import random

import pytest
from opencc import OpenCC

from generator.fluency import ENOUGH, broken_chinese
from tests.fakes.teacher_text import _recorded

GOOD = [text for text in _recorded() if "```" not in text]
# Written by a model that knows no Chinese.
BROKEN = (
    "1. 描尖限制后，第一步的记体偏左。\n2. 描尖限制后，农户疯；，洉经是痏累，但是痴观，织费不是痴宫.\n3. 瘱包洉经；隐拵，洉经狼狩，狼狩！",
    "1. 玩一个荸鸳的世界曼谽。\n2. 你的举行中学生过厌赏德国。\n3. 我在巴骚让来。\n4. 都偏思而看过，就是让你美首职与力大。",
    "请比走完全一番；\n请多劉母的一百家弗宝七将；\n请知道鸟的生命餖命运\n鸟看赏\n\n上流的增荚香烏薁茧，不仅是小蒙猳，而与从爪上进延到走上历地，",
)
PROMPT = "你是教材作者。你写的文字正确、具体、自成一体，不提及这些要求。许多学习者在这个主题上都会有的一个错误想法。"


@pytest.mark.parametrize("text", GOOD, ids=range(len(GOOD)))
def test_recorded_chinese_is_fluent_in_both_scripts(text: str) -> None:
    assert broken_chinese(text) == ""
    assert broken_chinese(OpenCC("s2t").convert(text)) == ""


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_what_was_put_together_of_characters_is_named(text: str) -> None:
    assert "parts of longer words" in broken_chinese(text)


def test_the_same_characters_in_another_order_are_no_chinese() -> None:
    draw = random.Random(5)
    for text in GOOD:
        letters = [letter for letter in text if "\u4e00" <= letter <= "\u9fff"]
        draw.shuffle(letters)
        assert broken_chinese("".join(letters))


def test_words_of_the_prompt_do_not_make_a_reply_fluent() -> None:
    assert broken_chinese(PROMPT + BROKEN[0]) == ""
    assert broken_chinese(PROMPT + BROKEN[0], PROMPT)


def test_a_few_characters_prove_nothing() -> None:
    assert broken_chinese("狼狩洉经" * (ENOUGH // 4)) == ""
    assert broken_chinese("") == ""
