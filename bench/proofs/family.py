"""A generated family of small exercises on lists and strings: the task in words, the answer in code, and its tests.

It stands in for the lessons and exercises that a capable teacher writes. Functions of the exam have names that no exercise
and no lesson uses. A lesson is a short section of prose with a worked function and what it gives; an exercise is a function
with a docstring and no prose, as the exam asks it, and its answer is run against its tests before it counts.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from trainer.evaluation.programs import Problem

LISTS, STRINGS = ("values", "items", "numbers", "data"), ("text", "word", "line", "name")
FIRST = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu")
FAMILY: tuple[tuple[str, str, str, str], ...] = (
    # kind, the task in words, the expression, an argument of the tests
    ("list", "Return the sum of {a}.", "sum({a})", "[3, 1, 2]"),
    ("list", "Return the largest of {a}.", "max({a})", "[3, 1, 2]"),
    ("list", "Return the smallest of {a}.", "min({a})", "[3, 1, 2]"),
    ("list", "Return how many items {a} has.", "len({a})", "[3, 1, 2]"),
    ("list", "Return {a} in rising order.", "sorted({a})", "[3, 1, 2]"),
    ("list", "Return the first item of {a}.", "{a}[0]", "[3, 1, 2]"),
    ("list", "Return the last item of {a}.", "{a}[-1]", "[3, 1, 2]"),
    ("list", "Return {a} backwards.", "{a}[::-1]", "[3, 1, 2]"),
    ("list", "Return the even items of {a}.", "[x for x in {a} if x % 2 == 0]", "[3, 1, 2, 8]"),
    ("list", "Return the odd items of {a}.", "[x for x in {a} if x % 2 == 1]", "[3, 1, 2, 8]"),
    ("list", "Return the square of each item of {a}.", "[x * x for x in {a}]", "[3, 1, 2]"),
    ("list", "Return each item of {a} plus {k}.", "[x + {k} for x in {a}]", "[3, 1, 2]"),
    ("list", "Return each item of {a} times {k}.", "[x * {k} for x in {a}]", "[3, 1, 2]"),
    ("list", "Return the items of {a} above {k}.", "[x for x in {a} if x > {k}]", "[3, 9, 2, 12]"),
    ("list", "Return how often {k} is in {a}.", "{a}.count({k})", "[3, {k}, 2, {k}]"),
    ("list", "Return whether {k} is in {a}.", "{k} in {a}", "[3, {k}, 2]"),
    ("str", "Return {a} in capitals.", "{a}.upper()", "'a word'"),
    ("str", "Return {a} in small letters.", "{a}.lower()", "'A Word'"),
    ("str", "Return the words of {a}.", "{a}.split()", "'two words'"),
    ("str", "Return how many letters {a} has.", "len({a})", "'a word'"),
    ("str", "Return {a} backwards.", "{a}[::-1]", "'a word'"),
    ("str", "Return the first {k} letters of {a}.", "{a}[:{k}]", "'a longer sentence'"),
    ("str", "Return {a} repeated {k} times.", "{a} * {k}", "'ab'"),
    ("str", "Return {a} without spaces around it.", "{a}.strip()", "' a word '"),
)


@dataclass(frozen=True, slots=True)
class Exercise:
    """One function to write."""

    prompt: str
    answer: str
    tests: str
    lesson: str


def exercises(count: int, seed: int, *, exam: bool = False) -> list[Exercise]:
    """So many, drawn. Names of the exam begin with `x`, all others do not."""
    draw = random.Random(f"{seed} {exam}")
    return [_exercise(draw, exam) for _ in range(count)]


def _exercise(draw: random.Random, exam: bool) -> Exercise:
    kind, words, code, given = draw.choice(FAMILY)
    a, k = draw.choice(LISTS if kind == "list" else STRINGS), draw.randint(2, 9)
    name = ("x" if exam else "") + "".join(draw.choices(FIRST, k=3))
    said, expression, argument = (part.format(a=a, k=k) for part in (words, code, given))
    prompt = f'def {name}({a}):\n    """{said}"""\n'
    expected = repr(eval(expression, {"__builtins__": __builtins__}, {a: eval(argument)}))  # noqa: S307 - our own table
    lesson = (
        f"Suppose we want a function that does this: {said[0].lower()}{said[1:]} In Python the body is one line.\n\n"
        f"def {name}({a}):\n    return {expression}\n\nSo {name}({argument}) gives {expected}.\n"
    )
    return Exercise(prompt, f"    return {expression}\n", f"assert {name}({argument}) == {expected}", lesson)


def problem(exercise: Exercise, name: str) -> Problem:
    """As an exam asks it."""
    return Problem(name, exercise.prompt, exercise.prompt, exercise.tests, exercise.prompt + exercise.answer)
