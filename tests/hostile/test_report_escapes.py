"""Whatever a stranger or a model wrote, the report shows it as text: it runs nothing, hides nothing, fills no disk."""

from __future__ import annotations

import json

import pytest

from corpus import facts
from corpus.manifest import Balance, Manifest
from corpus.report import render_report
from tests.fakes.page import Page

HOSTILE = {
    "script": "</script><script>alert(1)</script>",
    "handler": '"><img src=x onerror=alert(1)>',
    "single quote": "' onmouseover='alert(1)",
    "style": "</style><style>@import url(http://evil.example/x.css)</style>",
    "svg": '<svg onload="alert(1)"></svg></text></title></desc>',
    "comment": "<!-- <![CDATA[ ]]> -->",
    "template": "$title ${script} %s {0} {{7*7}}",
    "direction": "safe \u202e\u2066 txet\u2069 end",
    "tags": "".join(chr(0xE0000 + ord(letter)) for letter in "hidden"),
    "nul": "a\x00b\x1b[31mred\x07",
    "surrogate": "lone \ud800 half",
    "entity": "&lt;b&gt; &amp;amp; &#x3c;",
    "marks": "e" + "\u0301" * 5000,
    "lines": "a\u2028b\x85c\rd",
}


def page_with(text: str) -> str:
    """A report where `text` stands wherever text can stand."""
    found = {
        text: facts.counts(text, {text: 3, "b": 1}, unit=text),
        "lengths": facts.histogram(text, text, [1, 2, 3], groups=[text, "b", "c"]),
        "scores.x": facts.histogram(text, text, [1, 2, 3]) | {"thresholds": {text: 2.0}},
        "coverage": facts.grid(text, [text], [text], [[1]], [[2]], unit=text),
        "loss": facts.curves(text, text, text, {text: [(0, 1), (1, 2)]}),
        "arms": facts.table(text, [text, "b"], [[text, 1.5]], caption=text),
        "number": facts.number(text, text, unit=text),
        "unknown": {"kind": text, "title": text, "deep": [text]},
        "samples.kept": facts.samples(
            text,
            [
                {"id": text, "text": text, "verdict": text, "reason": text, "domain": text, "detail": text, text: 1},
                {"id": "long", "text": "word " * 200 + text},
            ],
        ),
    }  # fmt: skip
    stage = Manifest(name=text, version="1", stage=text, fingerprint=text, inputs={text: text}, facts=found, code=text,
                     config={text: text}, reasons={text: 1}, licences={text: 1}, created=text, dataset_hash=text,
                     totals={text: 1}, balance=Balance(made=2, kept=1, rejected=1))  # fmt: skip
    return render_report(text, {text: stage})


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_changes_no_tag_of_the_page(name: str) -> None:
    plain, page = Page(page_with("plain")), Page(page_with(HOSTILE[name]))
    assert page.faults == []
    assert page.scripts == plain.scripts
    assert set(page.tags) - {"details", "summary"} <= set(plain.tags) | {"p"}
    assert page.tags.count("script") == 1
    assert page.tags.count("style") == 1
    assert page.tags.count("meta") == 5


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_invisible_reaches_the_page(name: str) -> None:
    page = page_with(HOSTILE[name])
    page.encode("utf-8")  # no lone surrogate is left
    unwanted = [c for c in page if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0]
    assert unwanted == []
    assert not any(c in page for c in "\u202e\u2066\u2069\u2028\u2029\U000e0068")


def test_what_was_written_can_still_be_read() -> None:
    text = Page(page_with(HOSTILE["script"])).text
    assert HOSTILE["script"] in text


def test_a_sample_of_a_megabyte_is_bounded_and_says_so() -> None:
    page = page_with("x" * 1_000_000)
    assert len(page) < 400_000
    assert "1,000,000 characters, the first 6,000 shown" in page


def test_ten_thousand_of_everything_is_bounded() -> None:
    many = [str(index) for index in range(10_000)]
    found = {
        "a": facts.table("T", ["x"], [[name] for name in many]),
        "b": facts.counts("C", {name: 1 for name in many}),
        "c": facts.samples("S", [{"id": name, "text": name * 50} for name in many]),
        "d": facts.grid("G", many[:300], many[:300], [[1] * 300] * 300),
        "e": facts.curves("L", "x", "y", {name: [(0, 1), (1, 1)] for name in many}),
        "f": facts.histogram("H", "", range(10_000), groups=many),
        "g": facts.table("W", many, [many]),
    }
    stage = Manifest(name="n", version="1", stage="s", fingerprint="f", facts=found, reasons={name: 1 for name in many})
    page = render_report("n@1", {"s": stage})
    assert len(page) < 3_000_000
    assert Page(page).faults == []


def test_a_manifest_that_went_through_json_draws_the_same() -> None:
    text = HOSTILE["handler"]
    stage = Manifest(name="n", version="1", stage="s", fingerprint="f", facts={"x": facts.counts(text, {text: 1})})
    again = Manifest.model_validate(json.loads(stage.model_dump_json()))
    assert render_report("t", {"s": stage}) == render_report("t", {"s": again})
