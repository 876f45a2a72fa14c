"""Replies in Chinese are measured, trimmed and judged like any others: nothing assumes spaces between words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from corpus.document import Document, Rejection
from generator.book import Book
from generator.config import GenerateConfig
from generator.length import in_characters, units, word_count
from generator.parse import parse_reply, trim_to_sentence
from generator.plan import plan_slots
from generator.reply import Reply
from generator.request import make_request
from generator.teacher_config import TeacherConfig
from prompts.library import load_library
from prompts.seeds import Seed

LIBRARY = load_library()
REPLIES = yaml.safe_load((Path(__file__).parent / "replies_zh.yaml").read_text("utf-8"))
CONFIG = GenerateConfig(documents=4, languages=("zh",), domains=("physics",), forms=("textbook_section",))
SLOTS = plan_slots(CONFIG, LIBRARY, 1)
REQUEST = make_request(SLOTS[0], 0, LIBRARY, TeacherConfig(), CONFIG, 1)


def parse(text: str, finish: str = "stop") -> Document | Rejection:
    return parse_reply(SLOTS[0], REQUEST, Reply(REQUEST.key, text, finish, 10, 300, "m", 1.0, "e"), CONFIG)


@pytest.mark.parametrize("case", REPLIES, ids=[case["name"] for case in REPLIES])
def test_a_chinese_reply_is_kept_whole_or_has_its_reason(case: dict[str, Any]) -> None:
    found = parse(case["text"], case["finish"])
    if reason := case.get("reason"):
        assert isinstance(found, Rejection)
        assert found.reason == reason
        return
    assert isinstance(found, Document), found
    assert found.language == "zh"
    assert found.text.startswith(case.get("begins", case["text"][:20]))
    assert found.text.endswith(case.get("ends", case["text"].strip()[-20:]))


def test_a_line_of_the_chinese_prompt_that_comes_back_is_an_echo() -> None:
    line = max(REQUEST.messages[-1]["content"].split("\n"), key=len)
    found = parse(REPLIES[0]["text"] + line)
    assert isinstance(found, Rejection)
    assert found.reason == "prompt_echo"


def test_slots_that_a_teacher_without_chinese_leaves_empty_are_short_by_language() -> None:
    english = next(case["text"] for case in REPLIES if case.get("reason") == "language")
    book = Book(SLOTS, CONFIG, lambda documents: [("", "")] * len(documents))
    while turns := book.open():
        for turn in turns:
            request = make_request(turn.slot, turn.attempt, LIBRARY, TeacherConfig(), CONFIG, 1)
            book.ask(turn, request)
            book.take_in([Reply(request.key, english, "stop", 10, 300, "m", 1.0, "e")])
    assert book.shortfall() == {"language": len(SLOTS)}


def test_chinese_for_an_english_slot_is_no_english() -> None:
    config = GenerateConfig(documents=1, domains=("physics",), forms=("textbook_section",))
    (slot,) = plan_slots(config, LIBRARY, 1)
    request = make_request(slot, 0, LIBRARY, TeacherConfig(), config, 1)
    found = parse_reply(slot, request, Reply(request.key, REPLIES[0]["text"], "stop", 1, 1, "m", 1.0, "e"), config)
    assert isinstance(found, Rejection)
    assert found.reason == "language"


def test_a_character_counts_as_part_of_a_word_and_mixed_text_as_both() -> None:
    assert units("用Python写hello world程序") == ["用", "Python", "写", "hello", "world", "程", "序"]
    assert word_count("seventeen words") == 2
    assert word_count("水" * 170) == pytest.approx(100)
    assert in_characters((100, 200)) == (170, 340)


def test_a_chinese_text_is_trimmed_at_its_last_sentence_though_no_space_follows() -> None:
    assert trim_to_sentence("第一句。第二句！第三") == "第一句。第二句！"
    assert trim_to_sentence("他说：“好。”然后") == "他说：“好。”"
    assert trim_to_sentence("没有句号的一段") == ""


def rewriting(text: str, reply: str) -> Document | Rejection:
    config = GenerateConfig(documents=1, languages=("zh",), forms=("rewrite_faq",), min_words=10)
    seed = Seed("a", text, "zh")
    (slot,) = plan_slots(config, LIBRARY, 1, [seed])
    request = make_request(slot, 0, LIBRARY, TeacherConfig(), config, 1, {"a": seed})
    return parse_reply(slot, request, Reply(request.key, reply, "stop", 1, 1, "m", 1.0, "e"), config)


def test_a_rewriting_may_quote_a_long_line_of_its_source_and_may_not_be_its_source() -> None:
    source = REPLIES[0]["text"]
    line = max(source.split("\n"), key=len)
    assert isinstance(rewriting(line, REPLIES[1]["text"] + REPLIES[2]["text"] + line), Document)
    copied = rewriting(source, source)
    assert isinstance(copied, Rejection)
    assert copied.reason == "source_copy"


def test_a_reply_that_shows_the_fence_leaks_the_template() -> None:
    found = rewriting("一段材料。", REPLIES[1]["text"] + "\n0123456789ab SOURCE>>>")
    assert isinstance(found, Rejection)
    assert found.reason == "template_leak"
