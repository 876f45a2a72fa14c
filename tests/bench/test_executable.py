"""T11's material: exercises that only their tests can tell right from wrong, and lessons that explain and never drill."""

from __future__ import annotations

import re
from itertools import permutations

import pytest

from bench.proofs.family import BESIDE, FAMILY, GIVEN, SLIPS, Task, claim, exercises, problem, value_of
from bench.proofs.lessons import lessons
from bench.proofs.t11_executable import exam_of, shaped_alike, verified
from generator.jail import Jail
from trainer.evaluation.programs import judgeable


@pytest.mark.parametrize("tasks", [FAMILY, BESIDE])
def test_right_answers_pass_their_tests_and_slips_fail_them(tasks: tuple[Task, ...]) -> None:
    drawn = exercises(120, 1, tasks=tasks)
    with Jail(parallel=1) as jail:
        assert all(judgeable(problem(item, "q"), jail.run) for item in drawn[:40])
        passed = [judgeable(claim(item), jail.run) for item in drawn]
    assert passed == [item.answer == item.right for item in drawn]
    assert 0.4 * SLIPS < passed.count(False) / len(drawn) < 2 * SLIPS
    assert exercises(5, 1, tasks=tasks) == exercises(5, 1, tasks=tasks) != exercises(5, 2, tasks=tasks)


def test_the_tests_of_a_task_fail_the_answer_of_every_other_task() -> None:
    for kind, given in GIVEN.items():
        codes = {task.code for task in (*FAMILY, *BESIDE) if task.kind == kind}
        for (one, other), k in ((pair, k) for pair in permutations(codes, 2) for k in range(2, 10)):
            gives = [
                [value_of(code.format(a="a", k=k), "a", argument.format(k=k)) for argument in given]
                for code in (one, other)
            ]
            assert gives[0] != gives[1], (one, other, k)


def test_only_exercises_that_pass_are_read_and_names_of_the_exam_are_unseen() -> None:
    practice = verified(60, 1)
    assert practice == [item.prompt + item.answer for item in exercises(60, 1) if item.answer == item.right]
    read = set(re.findall(r"def (\w+)", "\n".join([*practice, *lessons(1500, 1)])))
    assert not read & {name for item in exam_of(FAMILY, 144) for name in re.findall(r"def (\w+)", item.prompt)}


def test_a_lesson_explains_documented_functions_in_other_words_than_the_exam_and_is_now_and_then_mistaken() -> None:
    book = lessons(1500, 1)
    shown = [
        found for text in book for found in re.findall(r'def \w+\(\w+\):\n    """(.+)"""\n    return (.+)\n', text)
    ]
    assert 1.3 < len(shown) / len(book) < 1.7
    assert all(text.count("\ndef ") == len(re.findall(r'\):\n    """', text)) for text in book)
    asked = {said for seed in range(3) for said in _docstrings(exercises(900, seed))}
    asked |= _docstrings(exercises(900, 1, tasks=BESIDE))
    assert not any(said in text for text in book for said in asked)
    prose = sum(len(re.sub(r"```.+?```", "", text, flags=re.DOTALL)) for text in book)
    assert prose > 0.55 * sum(map(len, book))
    slips = {task.slip for task in (*FAMILY, *BESIDE)} - {task.code for task in (*FAMILY, *BESIDE)}
    found = sum(re.sub(r"\b[2-9]\b", "{k}", code) in _plain(slips) for _, code in shown)
    assert 0 < found / len(shown) < 2 * SLIPS


def test_what_only_lessons_tell_of_has_the_tree_of_no_exercise_and_what_is_drilled_has_one() -> None:
    practice = [item.prompt + item.right for item in exercises(1200, 1)]
    assert shaped_alike(exam_of(BESIDE, 48), practice) == 0
    assert shaped_alike(exam_of(FAMILY, 144), practice) == 144


def _docstrings(drawn: list) -> set[str]:
    return {item.prompt.split('"""')[1] for item in drawn}


def _plain(codes: set[str]) -> set[str]:
    names = ("values", "items", "numbers", "data", "text", "word", "line", "name")
    return {code.replace("{a}", name) for code in codes for name in names}
