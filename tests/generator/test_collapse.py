"""A template whose texts begin to look alike is found soon; one that is well never is."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from corpus.readers.stdlib import docstrings, python_docs
from generator.collapse import CHANCE, Collapse, surprising
from generator.config import CollapseConfig, GenerateConfig
from generator.plan import Cell, Slot
from generator.request import Request, make_request
from generator.teacher_config import TeacherConfig
from prompts.library import load_library
from tests.fakes.steered import Steered, different
from tests.fakes.teacher_text import reply_text

LONG = 160  # characters: a shorter paragraph is no text


@cache
def real_texts() -> tuple[str, ...]:
    """Text that people wrote: paragraphs of the interpreter's own documentation and of its functions'."""
    pages = [page.text for page in python_docs()] + [page.text for page in docstrings()]
    texts = [" ".join(part.split()) for text in pages for part in text.split("\n\n")]
    return tuple(dict.fromkeys(text for text in texts if len(text) >= LONG))


def shuffled(seed: int, count: int) -> list[str]:
    return random.Random(seed).sample(real_texts(), count)


def slots(count: int, form: str = "lesson", language: str = "en", variant: int = 0) -> list[Slot]:
    return [Slot(str(n), Cell("d", "t", form, "a", language, "s"), 0, (), variant) for n in range(count)]


def watched(texts: Sequence[str], language: str = "en", size: int = 50, **config: object) -> Collapse:
    """All texts as one template's, in batches of `size`."""
    watch = Collapse(CollapseConfig.model_validate({"act": "report", **config}))
    for start in range(0, len(texts), size):
        batch = texts[start : start + size]
        watch.see(slots(len(batch), language=language), batch)
    return watch


def same_opening(text: str, number: int) -> str:
    return f"In this lesson we will learn about {text}"


def same_mould(text: str, number: int) -> str:
    """Other words in the same sentence, in the middle of another text."""
    words = [word for word in text.split() if word.isalpha() and len(word) > 4] or ["nothing"]
    one, two, three = (words[place * number % len(words)] for place in (1, 3, 7))
    return f"{text[:300]}. A {one} is the {two} by which all of the {three} can be made into one {one}. {text[300:]}"


def planted(texts: Sequence[str], mould, share: float, seed: int) -> list[str]:  # type: ignore[no-untyped-def]
    draw = random.Random(seed)
    return [mould(text, number) if draw.random() < share else text for number, text in enumerate(texts)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mould", [same_opening, same_mould])
@pytest.mark.parametrize("share", [0.5, 0.7, 1.0])
def test_a_collapsed_template_is_found_within_200_documents(mould, share: float, seed: int) -> None:  # type: ignore[no-untyped-def]
    alarms = watched(planted(shuffled(seed, 200), mould, share, seed)).alarms
    assert alarms
    assert alarms[0].after <= 200
    assert alarms[0].kind == ("opening" if mould is same_opening else "skeleton")
    assert alarms[0].count / alarms[0].of > 0.3


@pytest.mark.parametrize("seed", range(5))
def test_real_text_raises_no_alarm_in_2000_documents(seed: int) -> None:
    assert not watched(shuffled(seed, 2000), size=256).alarms


def test_the_fake_teachers_text_raises_no_alarm_in_2000_documents() -> None:
    assert not watched([reply_text({"messages": [], "seed": seed}) for seed in range(2000)], size=256).alarms


def test_a_template_that_collapses_late_is_found_within_200_documents_of_it() -> None:
    texts = shuffled(1, 900)
    late = texts[:700] + planted(texts[700:], same_opening, 0.6, 1)
    (first, *_) = watched(late).alarms
    assert 700 < first.after <= 900


def test_chinese_openings_are_counted_by_characters() -> None:
    draw = random.Random(3)
    letters = [chr(code) for code in range(0x4E00, 0x4E00 + 900)]
    texts = ["".join(draw.choices(letters, k=120)) + "。" for _ in range(300)]
    assert not watched(texts, "zh").alarms
    (first, *_) = watched([f"在这一节里，我们将一起学习{text}" for text in texts], "zh").alarms
    assert (first.kind, first.what) == ("opening", "在这一节里我们将一起")


def test_batches_do_not_matter() -> None:
    texts = planted(shuffled(2, 200), same_opening, 0.5, 2)
    assert watched(texts, size=1).alarms == watched(texts, size=64).alarms == watched(texts, size=200).alarms


@pytest.mark.parametrize("of", [24, 40, 64])
def test_the_threshold_is_the_tail_of_the_binomial(of: int) -> None:
    def tail(least: int) -> float:
        return sum(math.comb(of - 1, k) * 0.1**k * 0.9 ** (of - 1 - k) for k in range(least, of))

    count = surprising(of, 0.1)
    assert of * tail(count - 1) <= CHANCE < of * tail(count - 2)


def test_an_alarm_rotates_through_all_ways_and_then_retires_unless_it_is_the_last_template() -> None:
    watch = Collapse(CollapseConfig(), lambda template: 3)
    watch.see(slots(30, "story"), shuffled(1, 30))
    alike = [same_opening(text, 0) for text in shuffled(2, 40)]
    for variant in range(3):
        watch.see(slots(40, variant=variant), alike)
    assert [alarm.act for alarm in watch.alarms] == ["rotated", "rotated", "retired"]
    assert watch.retired == {("en", "lesson")}
    alone = Collapse(CollapseConfig(act="retire"))
    alone.see(slots(40), alike)
    assert [alarm.act for alarm in alone.alarms] == ["reported"]
    assert not alone.retired


def test_texts_of_an_earlier_way_that_come_late_raise_no_second_alarm() -> None:
    watch = Collapse(CollapseConfig(), lambda template: 3)
    alike = [same_opening(text, 0) for text in shuffled(2, 100)]
    watch.see(slots(100), alike)
    assert watch.now == {("en", "lesson"): 1}
    assert len(watch.alarms) == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_way_of_a_form_is_another_prompt_and_the_first_is_its_own(language: str) -> None:
    library = load_library()
    shelf = library.of(language)
    form = shelf.forms["story"]
    cell = Cell("physics", shelf.domains["physics"].leaves[0].title, "story", "college", language, "plain")
    prompts = [
        make_request(Slot("s", cell, 0, (), way), 0, library, TeacherConfig(), GenerateConfig(), 1).messages[-1][
            "content"
        ]
        for way in range(len(shelf.ways(form)))
    ]
    assert len(set(prompts)) == len(prompts) == 1 + len(shelf.rotations)
    added = list(shelf.rotations.values())
    assert [next((text for text in added if text in prompt), "") for prompt in prompts] == ["", *added]


def test_a_run_asks_in_another_way_once_its_texts_look_alike_and_says_so(tmp_path: Path) -> None:
    def says(slot: Slot, request: Request) -> str:
        text = different(slot, request)
        return same_opening(text, 0) if slot.variant == 0 else text

    run = Steered(tmp_path, says, documents=240, coverage={"wave": 24}).run(window=8)
    assert [(alarm.kind, alarm.act) for alarm in run.coverage.alarms] == [("opening", "rotated")]
    ways = [slot.variant for slot in run.book.slots]
    assert set(ways) == {0, 1}
    assert ways == sorted(ways)
    assert ways.count(0) <= 72
    assert len(run.book.documents) == 240
    moves = [move for wave in run.wave_files() for move in wave["moves"]]
    assert any("textbook_section (en)" in move and "rotated" in move for move in moves)


def test_documents_of_a_retired_template_go_to_others(tmp_path: Path) -> None:
    def says(slot: Slot, request: Request) -> str:
        text = different(slot, request)
        return same_opening(text, 0) if slot.cell.form == "story" else text

    run = Steered(
        tmp_path,
        says,
        documents=240,
        forms=("textbook_section", "story"),
        collapse={"act": "retire"},
        coverage={"wave": 24},
    ).run(window=8)
    assert run.collapse.retired == {("en", "story")}
    assert len(run.book.documents) == 240
    assert {cell.cause for key, cell in run.coverage.cells.items() if "story" in key} == {"template retired"}
    assert sum(slot.cell.form == "story" for slot in run.book.slots) <= 72
