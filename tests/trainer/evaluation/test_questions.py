"""Rows of the usual benchmarks become the questions that they are; a row of no known form is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import RecipeError
from trainer.evaluation.questions import Question, cloze_of, open_benchmark, read_row
from trainer.evaluation.zh_pairs import zh_pairs

ROWS = [
    ({"sentence_good": "A cat sleeps.", "sentence_bad": "A cat sleep.", "paradigm": "agreement"},
     (("", "A cat sleeps."), ("", "A cat sleep.")), 0),
    ({"query": "Question: What is hot?", "choices": ["ice", "fire"], "gold": 1},
     (("Question: What is hot?\nAnswer:", " ice"), ("Question: What is hot?\nAnswer:", " fire")), 1),
    ({"question": "What is hot?", "choices": {"text": ["ice", "fire"], "label": ["1", "2"]}, "answerKey": "2"},
     (("Question: What is hot?\nAnswer:", " ice"), ("Question: What is hot?\nAnswer:", " fire")), 1),
    ({"query": "Question: Where?\nChoices:\nA. here\nB. there\nAnswer:", "choices": ["A", "B"], "gold": 0},
     (("Question: Where?\nAnswer:", " here"), ("Question: Where?\nAnswer:", " there")), 0),
    ({"goal": "Open a jar", "sol1": "turn", "sol2": "sing", "label": 0},
     (("Question: Open a jar\nAnswer:", " turn"), ("Question: Open a jar\nAnswer:", " sing")), 0),
    ({"query": "Fire is", "choices": ["hot", "cold"], "gold": "0"}, (("Fire is", " hot"), ("Fire is", " cold")), 0),
    ({"question": "火是", "choices": ["热的", "冷的"], "answer": "A", "subject": "物理"},
     (("问题：火是\n答案：", "热的"), ("问题：火是\n答案：", "冷的")), 0),
    ({"context_options": ["The cat", "The dog"], "continuation": "barks.", "gold": 1},
     (("The cat", " barks."), ("The dog", " barks.")), 1),
    ({"context": "He opened the", "continuation": "door"}, (("He opened the", " door"),), 0),
    ({"question": "2 + 2?", "answer": "4"}, (("Question: 2 + 2?\nAnswer:", " 4"),), 0),
]  # fmt: skip


@pytest.mark.parametrize(("row", "options", "gold"), ROWS)
def test_a_row_of_a_known_form_is_a_question(row: dict, options: tuple, gold: int) -> None:
    found = read_row(row, "b", "1")
    assert isinstance(found, Question)
    assert (found.options, found.gold) == (options, gold)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"colour": "red"}, "its columns are colour"),
        ({"question": "Which?", "choices": ["a", "b"], "answer": "Z"}, "'Z' names none of its 2 options"),
        ({"question": "Which?", "choices": ["a", "b"]}, "None names none"),
        ({"choices": ["a", "b"], "gold": 0}, "choices without a question"),
    ],
)
def test_a_row_that_cannot_be_asked_is_named(row: dict, said: str) -> None:
    with pytest.raises(RecipeError, match=said) as raised:
        read_row(row, "arc", "7")
    assert "arc#7" in str(raised.value)


def test_a_limit_draws_the_same_items_every_time(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    rows = [{"id": f"p{i}", "text": "t", "sentence_good": f"good {i}", "sentence_bad": f"bad {i}"} for i in range(50)]
    path.write_text("\n".join(map(json.dumps, rows)))
    names = [[item.name for item in open_benchmark(str(path), 10, seed).questions] for seed in (1, 1, 2)]
    assert len(names[0]) == 10
    assert names[0] == names[1] != names[2]


def test_cloze_questions_have_the_true_end_among_ends_of_their_own_group() -> None:
    rivers = [
        f"The long river number {i} turns slowly around the old grey stone and reaches the sea at dusk {i}."
        for i in range(6)
    ]
    stars = [
        f"Every bright star number {i} in the wide night sky burns for a long time and then fades away {i}."
        for i in range(6)
    ]
    made = cloze_of([("river", text) for text in rivers] + [("star", text) for text in stars], 100, seed=3)
    assert len(made) == 12
    for question in made:
        context, end = question.options[question.gold]
        assert f"{context}{end}" in rivers + stars
        assert len({options[1] for options in question.options}) == 4
        assert all(("dusk" in ending) == (question.group == "river") for _, ending in question.options)


def test_chinese_pairs_differ_in_grammar_alone() -> None:
    pairs = zh_pairs()
    assert len(pairs) > 500
    assert len({pair.name for pair in pairs}) == len(pairs)
    for pair in pairs:
        (_, good), (_, bad) = pair.options
        assert good != bad
        same_words = sorted(good) == sorted(bad)
        assert same_words or pair.group in ("classifier", "experience-negation")
        assert "{" not in good + bad
