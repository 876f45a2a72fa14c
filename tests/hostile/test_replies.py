"""Malformed replies: each gets a reason or is kept whole; none crashes and none is kept in silence."""

from __future__ import annotations

import random
import time

import pytest

from corpus.document import Document, Rejection
from generator.config import GenerateConfig
from generator.parse import parse_reply, trim_to_sentence
from generator.plan import plan_slots
from generator.reply import Reply
from generator.request import make_request
from generator.teacher_config import TeacherConfig
from prompts.library import load_library

CONFIG = GenerateConfig(documents=1, min_words=20)
LIBRARY = load_library()
(SLOT,) = plan_slots(CONFIG, LIBRARY, 1)
REQUEST = make_request(SLOT, 0, LIBRARY, TeacherConfig(), CONFIG, 1)
PROSE = " ".join(f"Sentence number {index} says one thing about water and stone." for index in range(8))


def parse(text: str, finish: str = "stop", config: GenerateConfig = CONFIG) -> Document | Rejection:
    return parse_reply(SLOT, REQUEST, Reply(REQUEST.key, text, finish, 10, 20, "m", 1.0, "e"), config)


CASES = [
    ("", "empty"),
    (" \n\t ", "empty"),
    ("Too short.", "too_short"),
    ("I'm sorry, but I can't help with that. " * 5, "refusal"),
    ("As an AI language model, I have no kitchen. " * 5, "refusal"),
    (PROSE + "<|im_end|>", "template_leak"),
    ("[INST] " + PROSE, "template_leak"),
    (PROSE + "\x00", "not_text"),
    (PROSE + "\x1b[2J", "not_text"),
    (PROSE + "\ufffd", "not_text"),
    (PROSE + "\n```python\nprint(1)", "open_fence"),
    ("the same words come back again and again here " * 40, "loop"),
    (PROSE + "\n" + REQUEST.messages[1]["content"], "prompt_echo"),
    ("a" * 300_000, "too_long"),
    ("word " * 1_000_000, "too_long"),
]


@pytest.mark.parametrize("text, reason", CASES, ids=[f"{index}-{reason}" for index, (_, reason) in enumerate(CASES)])
def test_a_malformed_reply_has_its_reason(text: str, reason: str) -> None:
    found = parse(text)
    assert isinstance(found, Rejection)
    assert found.reason == reason
    assert len(found.detail) <= 500


@pytest.mark.parametrize("finish", ["none", "content_filter", "tool_calls", "error"])
def test_a_strange_end_is_malformed(finish: str) -> None:
    found = parse(PROSE, finish)
    assert isinstance(found, Rejection)
    assert found.reason == "malformed"


def test_a_truncated_reply_is_trimmed_and_says_so_or_is_rejected() -> None:
    found = parse(PROSE + " And this sentence has no", "length")
    assert isinstance(found, Document)
    assert found.text == PROSE
    assert found.lineage is not None
    assert found.lineage.operators == ("trim:sentence",)
    strict = parse(PROSE, "length", CONFIG.model_copy(update={"truncated": "reject"}))
    assert isinstance(strict, Rejection)
    assert strict.reason == "truncated"


def test_a_preamble_goes_and_is_recorded() -> None:
    found = parse("Sure, here is a section:\n\n" + PROSE)
    assert isinstance(found, Document)
    assert found.text == PROSE
    assert found.lineage is not None
    assert found.lineage.operators == ("strip:preamble",)


def test_a_good_reply_is_kept_byte_for_byte() -> None:
    found = parse(PROSE)
    assert isinstance(found, Document)
    assert found.text == PROSE
    assert found.lineage is not None
    assert found.lineage.operators == ()


@pytest.mark.parametrize("seed", range(100))
def test_a_mangled_reply_never_crashes_and_is_never_changed_in_silence(seed: int) -> None:
    draw = random.Random(seed)
    letters = list(PROSE)
    for _ in range(draw.randint(1, 60)):
        place = draw.randrange(len(letters))
        letters[place] = draw.choice(
            ["\x00", "```", "\u2028", "\u202e", "<|x|>", "{{ 1 }}", "", "\n", "é", "漢", "\ud7ff"]
        )
    text = "".join(letters)
    found = parse(text, draw.choice(["stop", "length", "none"]))
    if isinstance(found, Document):
        assert found.lineage is not None
        assert found.text == text.strip() or found.lineage.operators
    else:
        assert found.reason


def test_five_megabytes_take_no_time() -> None:
    begun = time.monotonic()
    for text in ("a" * 5_000_000, "a. " * 1_700_000, "```\n" * 1_250_000, "\n" * 5_000_000):
        assert isinstance(parse(text, "length"), Rejection)
    assert time.monotonic() - begun < 5


def test_trimming_keeps_a_closed_code_block() -> None:
    assert trim_to_sentence("One. ```\nx\n``` and so") == "One. ```\nx\n```"
    assert trim_to_sentence("One. ```\nx") == "One."
    assert trim_to_sentence("no end") == ""
