"""Cleaning edits what is dirty, says what it did, and changes nothing the second time."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.document import Document, documents_table
from corpus.soft_labels import text_hash
from filters.clean import clean_table, clean_text, mask_counts, step_counts
from filters.config import CleanConfig
from filters.sensitive_kinds import KINDS

CONFIG = CleanConfig()
ENGLISH = [
    "The river rises in the hills and falls two hundred metres before it meets the sea.",
    "Its water is clear in summer, when the ground holds little mud.",
    "A mill stood at the first bend for three centuries.",
    "Farmers brought their grain in carts and waited for the stones to turn.",
    "In 1911 the wheel was replaced by a turbine that still makes light for the village.",
]
CHINESE = [
    "这条河发源于北边的山里，流到海边一共要走两百公里。",
    "夏天水很清，因为泥沙少。",
    "第一个弯道旁边曾经有一座磨坊。",
    "农民用车把粮食运来，等着石磨转起来。",
    "一九一一年，水轮换成了汽轮机。",
]
FRAME = ["Home", "Log in", "We use cookies to improve our site.", "Copyright © 2020 The Mill. All rights reserved.", "Share on Facebook", "Read more",
         "Home | About | Contact | Jobs", "版权所有 未经授权不得转载", "责任编辑：李四", "上一篇", "扫描二维码关注公众号", "首页 > 旅游 > 河流"]  # fmt: skip


def planted(draw: random.Random, sentences: list[str]) -> tuple[str, list[str], list[str]]:
    """A page with frame lines among its own, and both lists."""
    own = draw.sample(sentences, len(sentences))
    frame = draw.sample(FRAME, 4)
    lines = own + frame
    draw.shuffle(lines)
    return "\n\n".join(lines), own, frame


@pytest.mark.parametrize("sentences", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_planted_frame_lines_go_and_sentences_stay(sentences: list[str]) -> None:
    draw = random.Random(5)
    gone = kept = frames = owns = 0
    for _ in range(60):
        text, own, frame = planted(draw, sentences)
        left = set(clean_text(text, CONFIG).text.split("\n"))
        gone, frames = gone + sum(line not in left for line in frame), frames + len(frame)
        kept, owns = kept + sum(line in left for line in own), owns + len(own)
    assert gone / frames >= 0.9
    assert kept / owns >= 0.99


@given(
    st.lists(
        st.sampled_from(
            [
                *ENGLISH,
                *CHINESE,
                *FRAME,
                "",
                "   ",
                "a\u200b",
                "cafÃ©",
                "ＡＢＣ",
                "- item",
                "Mercury",
                "(中文)",
                "```",
                "x = 1",
            ]
        ),
        max_size=14,
    )
)
def test_a_second_pass_is_a_no_op(lines: list[str]) -> None:
    once = clean_text("\n".join(lines), CONFIG)
    again = clean_text(once.text, CONFIG)
    assert again.text == once.text
    assert again.steps == ()


def test_a_long_paragraph_is_said_once_and_a_refrain_may_come_back() -> None:
    text = "\n\n".join([ENGLISH[0], "Yes.", ENGLISH[1], ENGLISH[0], "Yes."])
    assert clean_text(text, CONFIG).text == "\n\n".join([ENGLISH[0], "Yes.", ENGLISH[1], "Yes."])


def table(*rows: tuple[str, str, str]) -> pa.Table:
    return documents_table([Document(name, text, "web", "MIT", "x", domain=domain) for name, text, domain in rows])


def test_every_change_is_recorded_and_clean_texts_have_no_row() -> None:
    dirty = f"Log in\n\n{ENGLISH[0]}\r\n"
    cleaned, changes = clean_table(table(("a", dirty, "web"), ("b", ENGLISH[1], "web")), CONFIG)
    assert cleaned["text"].to_pylist() == [ENGLISH[0], ENGLISH[1]]
    (row,) = changes.to_pylist()
    assert (row["id"], row["before"], row["after"]) == ("a", len(dirty), len(ENGLISH[0]))
    assert row["before_hash"] == text_hash(dirty)
    assert {"breaks", "boilerplate.phrase"} <= set(row["steps"])
    assert step_counts(changes)["breaks"] == 1


def test_program_text_is_left_as_it_is() -> None:
    code = "import os\n\n\n\nHome = 1\r\n"
    cleaned, changes = clean_table(table(("a", code, "python-code")), CONFIG)
    assert cleaned["text"].to_pylist() == [code]
    assert changes.num_rows == 0


def test_each_part_can_be_left_out() -> None:
    text = f"Log in\n\n{ENGLISH[0]}\n\n{ENGLISH[0]}"
    assert clean_text(text, CleanConfig(boilerplate=False, repeats=False)).text == text


def test_what_is_masked_is_counted_by_kind() -> None:
    rows = table(("a", "Write to mary@shelley.net or to percy@shelley.net.", "web"), ("b", ENGLISH[0], "web"))
    cleaned, changes = clean_table(rows, CONFIG, {kind.name: kind for kind in KINDS})
    assert cleaned["text"].to_pylist() == ["Write to <email> or to <email>.", ENGLISH[0]]
    assert changes["steps"].to_pylist() == [["mask.email"]]
    assert mask_counts(changes) == {"email": 2}


def test_a_second_pass_is_a_no_op_where_findings_were_masked_too() -> None:
    kinds = {kind.name: kind for kind in KINDS}
    texts = [
        "mary@shelley.net",
        "Our team:\nmary@shelley.net\n415-234-9876",
        "Home | mary@shelley.net | News",
        "Email: mary@shelley.net\nShare",
    ]
    once, _ = clean_table(table(*((str(n), text, "web") for n, text in enumerate(texts))), CONFIG, kinds)
    again, changes = clean_table(once, CONFIG, kinds)
    assert again.equals(once)
    assert changes.num_rows == 0
    assert once["text"][0].as_py() == "<email>"
