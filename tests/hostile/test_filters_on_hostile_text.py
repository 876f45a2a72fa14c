"""F11: whatever a text is made of, every filter ends in linear time, without a crash, and with bounded memory."""

from __future__ import annotations

import time
from collections.abc import Callable

import pyarrow as pa
import pytest

from bench.hostile import BAIT, runs
from corpus.document import Document, documents_table
from filters.benchmarks import Item
from filters.boilerplate import boilerplate_lines
from filters.chain import ALL, decide, score_table
from filters.clean import clean_table, clean_text
from filters.config import CleanConfig, DecontaminateConfig, FilterConfig
from filters.decontaminate import Decontaminator
from filters.sensitive import find, redact
from filters.sensitive_kinds import KINDS

ITEM = Item("exam#1", "exam", "How far does the river fall before it meets the sea, if it rises in hills of two hundred metres?",
            code="def fall(hills, sea):\n    return sorted(hills)[-sea:]\n")  # fmt: skip
AGAINST = Decontaminator([ITEM], DecontaminateConfig())
KINDS_BY_NAME = {kind.name: kind for kind in KINDS}
MORE_BAIT = {"nesting": "<div>", "objects": '{"a":', "shares": "share ", "clauses": "分享，", "halves": "“(", "passports": "passport 护照 ", "IBANs": "AA00AAAA ", "phones": "+1 1 ",
             "tokens": "eyJaaaaaaaaaaaa.", "links": "Home | ", "bullets": "- ", "wide": "Ａ", "direction": "\u202e\u2066", "tags": "\U000e0041", "offers": "buy now "}  # fmt: skip
SMALL, FACTOR = 40_000, 4


def table(text: str) -> pa.Table:
    return documents_table([Document("bait", text, "web", "MIT", "here", domain="web")])


def everything(text: str) -> None:
    document = table(text)
    decide(document, score_table(document, scorers=ALL, against=AGAINST), FilterConfig())
    clean_table(document, CleanConfig(), KINDS_BY_NAME)


def seconds(work: Callable[[str], None], text: str) -> float:
    begun = time.process_time()
    work(text)
    return time.process_time() - begun


@pytest.mark.parametrize("name", [*BAIT, *MORE_BAIT])
def test_four_times_the_text_takes_no_more_than_four_times_as_long(name: str) -> None:
    bait = {**BAIT, **MORE_BAIT}[name]
    size = SMALL // len(bait)
    everything(GOOD)  # models and packages are loaded
    whole = seconds(everything, bait * size * FACTOR)
    assert whole < 3
    assert whole < 0.3 or whole < 3 * FACTOR * seconds(everything, bait * size)  # the square would be sixteen times


GOOD = "The river rises in the hills. Its water is clear in summer, when the ground holds little mud."
LONE = "before \ud800 mary@shelley.net \udfff after 见\udc00 13812345678"


def test_lone_surrogates_end_no_search() -> None:
    assert [(item.kind, LONE[item.start : item.end]) for item in find(LONE)] == [
        ("email", "mary@shelley.net"),
        ("phone", "13812345678"),
    ]
    assert redact(LONE)[0] == "before \ud800 <email> \udfff after 见\udc00 <phone>"
    assert boilerplate_lines([LONE, "\ud800"]) == ["", ""]
    assert clean_text(LONE, CleanConfig(characters=False)).text == LONE


@pytest.mark.parametrize(
    "text",
    ["", "\0", "\n", " ", "\u200b", "\ufeff", "a", "。", "[" * 100_000, "{" * 100_000, "\0" * 1000, "\U0010ffff"],
)
def test_texts_of_almost_nothing_and_of_one_thing_get_a_verdict(text: str) -> None:
    document = table(text)
    scores = score_table(document, scorers=ALL, against=AGAINST)
    assert scores.num_rows == 1
    assert decide(document, scores, FilterConfig()).num_rows == 1
    cleaned, _ = clean_table(document, CleanConfig(), KINDS_BY_NAME)
    again, changes = clean_table(cleaned, CleanConfig(), KINDS_BY_NAME)
    assert again.equals(cleaned)
    assert changes.num_rows == 0


@pytest.mark.soak
def test_no_verb_falls_over_a_line_of_a_gigabyte_or_a_text_of_bait() -> None:
    bad = [run for run in runs(["score", "clean", "redact", "decontaminate", "dedup"], 15) if not run.passed]
    assert bad == []
