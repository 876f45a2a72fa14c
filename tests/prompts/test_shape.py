"""A structured reply is read strictly or not at all, and a form's schema is data."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import RecipeError
from prompts.library import load_library
from prompts.shape import Shape, Unreadable, parse_json, schema_of
from prompts.structure import Structure


class Pair(Shape):
    question: str
    number: int


BAD = [
    ("", "not JSON"),
    ('{"question": "q", "number": 1} And more.', "not JSON: Extra data"),
    ('Here it is: {"question": "q", "number": 1}', "not JSON"),
    ('{"question": "q", "question": "p", "number": 1}', "stands there twice"),
    ('{"question": "q", "number": NaN}', "NaN is no number"),
    ('{"question": "q", "number": -Infinity}', "-Infinity is no number"),
    ('{"question": "q", "number": 1e999}', "too large a number"),
    ('{"question": "q", "number": ' + "9" * 5000 + "}", "not JSON that can be read"),
    ('{"question": "\\ud800", "number": 1}', "U+D800"),
    ('{"question": "a\\u0000b", "number": 1}', "U+0000"),
    ('{"question": "q", "\\ud800": 1}', "U+D800"),
    ("[" * 40_000 + "]" * 20_000, "nested too deeply"),
    ('{"question": "q", "number": "1"}', "number: Input should be a valid integer"),
    ('{"question": "q", "number": 1.5}', "number: Input should be a valid integer"),
    ('{"question": "q", "number": true}', "number: Input should be a valid integer"),
    ('{"question": "q", "number": 1, "more": 2}', "more: Extra inputs are not permitted"),
    ('{"question": "q"}', "number: Field required"),
    ('["q", 1]', "valid dictionary"),
    ('{"question": "' + "q" * 70_000 + '", "number": 1}', "at most"),
]


@pytest.mark.parametrize("text, fault", BAD, ids=[fault for _, fault in BAD])
def test_what_json_leaves_open_is_refused_with_a_line_that_names_it(text: str, fault: str) -> None:
    with pytest.raises(Unreadable) as caught:
        Pair.parse(text)
    assert fault in caught.value.detail
    assert caught.value.reason == "unreadable"
    assert len(caught.value.detail) <= 300


def test_a_reply_that_was_cut_off_says_so_whatever_it_holds() -> None:
    with pytest.raises(Unreadable) as caught:
        Pair.parse('{"question": "q", "number": 1}', "length")
    assert caught.value.reason == "truncated"


def test_a_fence_around_the_whole_value_is_taken_off_and_values_stay_as_they_are() -> None:
    found = Pair.parse('```json\n{"question": "水往低处流 {{ 1 }} $x", "number": 7}\n```')
    assert (found.question, found.number) == ("水往低处流 {{ 1 }} $x", 7)
    assert parse_json(" [1.5, null] ") == [1.5, None]
    with pytest.raises(Unreadable):
        parse_json('```json\n{"a": 1}\n``` I hope that helps.')


def test_the_schema_is_closed_and_the_same_each_time() -> None:
    assert '"additionalProperties":false' in schema_of(Pair)
    assert schema_of(Pair) == schema_of(Pair)


QUIZ = {
    "fields": {"title": "text", "pairs": {"each": {"q": "text", "level": ["easy", "hard"]}, "at_least": 2, "at_most": 3}},
    "render": ["# $title", {"each": "pairs", "text": "$number. $q ($level)"}],
}  # fmt: skip


def test_fields_in_yaml_become_a_strict_model_and_its_value_a_text() -> None:
    structure = Structure.model_validate(QUIZ)
    value = structure.shape.parse(
        '{"title": "Tides $1", "pairs": [{"q": "Why?", "level": "easy"}, {"q": "为何？", "level": "hard"}]}'
    )
    assert structure.text(value) == "# Tides $1\n\n1. Why? (easy)\n\n2. 为何？ (hard)"
    for wrong in ('{"title": "T", "pairs": [{"q": "Why?", "level": "easy"}]}', '{"title": "", "pairs": []}',
                  '{"title": "T", "pairs": [{"q": "a", "level": "mild"}, {"q": "b", "level": "easy"}]}'):  # fmt: skip
        with pytest.raises(Unreadable):
            structure.shape.parse(wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"render": ["$titel"]},
        {"render": [{"each": "title", "text": "$q"}]},
        {"fields": {"title": "string"}},
        {"fields": {"model_dump": "text"}, "render": ["x"]},
        {"fields": {"__class__": "text"}, "render": ["x"]},
    ],
)
def test_a_schema_that_does_not_fit_its_text_is_refused_when_it_is_loaded(change: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Structure.model_validate({**QUIZ, **change})


def test_a_form_with_a_schema_is_added_with_two_files_and_no_python(tmp_path: Path) -> None:
    for folder in ("forms", "templates"):
        (tmp_path / folder).mkdir()
    (tmp_path / "templates" / "riddle.j2").write_text("### user\nA riddle on {{ topic }} as JSON.\n", "utf-8")
    text = "title: Riddle\nkind: prose\nwords: [40, 80]\ntemplate: riddle.j2\nidea: x\nopenings: [Begin.]\nschema:\n"
    (tmp_path / "forms" / "riddle.yaml").write_text(
        text + "  fields: {riddle: text, answer: text}\n  render: ['$riddle', '$answer']\n", "utf-8"
    )
    structure = load_library(tmp_path).forms["riddle"].structure
    assert structure is not None
    assert structure.text(structure.shape.parse('{"riddle": "Who?", "answer": "I."}')) == "Who?\n\nI."
    (tmp_path / "forms" / "riddle.yaml").write_text(text + "  fields: {riddle: text}\n  render: ['$answer']\n", "utf-8")
    with pytest.raises(RecipeError, match=r"riddle.yaml: schema: .*answer"):
        load_library(tmp_path)
