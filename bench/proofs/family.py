"""A generated family of small exercises on lists and strings: the task in words, the answer in code, and its tests.

It stands in for the exercises that a capable teacher writes, with the teacher's mistakes: one answer in ten does something
near what was asked (`SLIPS`), and only running it against its tests tells. An exercise is a function with a docstring and
no prose, as phi-1's CodeExercises are (arXiv 2306.11644, section 2.2) and as the exam asks it. Functions of the exam have
names that no exercise and no lesson uses. Names say nothing, so that the task alone tells what to write.

Exercises drill `FAMILY`; `BESIDE` is what lessons tell of and no exercise does: no function of it has the syntax tree of one.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainer.evaluation.programs import Problem

LISTS, STRINGS = ("values", "items", "numbers", "data"), ("text", "word", "line", "name")
FIRST = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu")
SLIPS = 0.1  # share of what the teacher writes that is wrong
GIVEN: Mapping[str, tuple[str, str]] = {  # two arguments, on which no two tasks agree
    "list": ("[{k}, 1, 12, {k}, 4]", "[6, 10, 2, 7, 11]"),
    "str": ("' A longer Word here '", "'abc Def ghi jklm'"),
}


@dataclass(frozen=True, slots=True)
class Task:
    """`said` is how the exam and the exercises ask for it, `code` the expression, `slip` what a mistaken teacher writes."""

    kind: str
    said: str
    code: str
    slip: str


FAMILY: tuple[Task, ...] = (
    Task("list", "Return the sum of {a}.", "sum({a})", "len({a})"),
    Task("list", "Return the largest of {a}.", "max({a})", "min({a})"),
    Task("list", "Return the smallest of {a}.", "min({a})", "max({a})"),
    Task("list", "Return how many items {a} has.", "len({a})", "sum({a})"),
    Task("list", "Return {a} in rising order.", "sorted({a})", "{a}.sort()"),
    Task("list", "Return the first item of {a}.", "{a}[0]", "{a}[1]"),
    Task("list", "Return the last item of {a}.", "{a}[-1]", "{a}[0]"),
    Task("list", "Return {a} backwards.", "{a}[::-1]", "{a}[-1]"),
    Task("list", "Return the even items of {a}.", "[x for x in {a} if x % 2 == 0]", "[x for x in {a} if x % 2 == 1]"),
    Task("list", "Return the odd items of {a}.", "[x for x in {a} if x % 2 == 1]", "[x for x in {a} if x % 2 == 0]"),
    Task("list", "Return the square of each item of {a}.", "[x * x for x in {a}]", "[x + x for x in {a}]"),
    Task("list", "Return each item of {a} plus {k}.", "[x + {k} for x in {a}]", "[x * {k} for x in {a}]"),
    Task("list", "Return each item of {a} times {k}.", "[x * {k} for x in {a}]", "[x + {k} for x in {a}]"),
    Task("list", "Return the items of {a} above {k}.", "[x for x in {a} if x > {k}]", "[x for x in {a} if x < {k}]"),
    Task("list", "Return how often {k} is in {a}.", "{a}.count({k})", "{k} in {a}"),
    Task("list", "Return whether {k} is in {a}.", "{k} in {a}", "{a}.count({k})"),
    Task("str", "Return {a} in capitals.", "{a}.upper()", "{a}.lower()"),
    Task("str", "Return {a} in small letters.", "{a}.lower()", "{a}.upper()"),
    Task("str", "Return the words of {a}.", "{a}.split()", "{a}.strip()"),
    Task("str", "Return how many letters {a} has.", "len({a})", "{a}.count({a})"),
    Task("str", "Return {a} backwards.", "{a}[::-1]", "{a}[-1]"),
    Task("str", "Return the first {k} letters of {a}.", "{a}[:{k}]", "{a}[{k}:]"),
    Task("str", "Return {a} repeated {k} times.", "{a} * {k}", "{a} + str({k})"),
    Task("str", "Return {a} without spaces around it.", "{a}.strip()", "{a}.split()"),
)


BESIDE: tuple[Task, ...] = (
    Task("list", "Return how far apart the ends of {a} lie.", "max({a}) - min({a})", "min({a}) - max({a})"),
    Task("list", "Return the mean of {a}.", "sum({a}) / len({a})", "sum({a}) / 2"),
    Task("list", "Return all of {a} but the first.", "{a}[1:]", "{a}[:1]"),
    Task("list", "Return every second item of {a}.", "{a}[1::2]", "{a}[::3]"),
    Task("list", "Return {a} in falling order.", "sorted({a}, reverse=True)", "sorted({a})"),
    Task("list", "Return each item of {a} minus {k}.", "[x - {k} for x in {a}]", "[{k} - x for x in {a}]"),
    Task("list", "Return each item of {a} as a string.", "[str(x) for x in {a}]", "str({a})"),
    Task("list", "Return the items of {a} below {k}.", "[x for x in {a} if x < {k}]", "[x for x in {a} if x > {k}]"),
    Task("list", "Return {a} without {k}.", "[x for x in {a} if x != {k}]", "[x for x in {a} if x == {k}]"),
    Task("list", "Return where the maximum of {a} is.", "{a}.index(max({a}))", "{a}.index(min({a}))"),
    Task("str", "Return {a} with a capital at each word.", "{a}.title()", "{a}.upper()"),
    Task("str", "Return {a} with dashes for spaces.", "{a}.replace(' ', '-')", "{a}.split('-')"),
)


@dataclass(frozen=True, slots=True)
class Exercise:
    """One function to write: what is asked, the teacher's answer, the right one, and its tests."""

    prompt: str
    answer: str
    right: str
    tests: str


def exercises(count: int, seed: int, *, exam: bool = False, tasks: Sequence[Task] = FAMILY) -> list[Exercise]:
    """So many, drawn. Names of the exam begin with `x`, all others do not."""
    draw = random.Random(f"{seed} {exam}")
    return [_exercise(draw, draw.choice(tasks), exam) for _ in range(count)]


def _exercise(draw: random.Random, task: Task, exam: bool) -> Exercise:
    name, a, k = ("x" if exam else "") + made_name(draw), argument_name(draw, task), draw.randint(2, 9)
    said, code, slip = (part.format(a=a, k=k) for part in (task.said, task.code, task.slip))
    given = [argument.format(k=k) for argument in GIVEN[task.kind]]
    tests = "\n".join(f"assert {name}({argument}) == {value_of(code, a, argument)}" for argument in given)
    written = slip if draw.random() < SLIPS else code
    prompt = f'def {name}({a}):\n    """{said}"""\n'
    return Exercise(prompt, f"    return {written}\n", f"    return {code}\n", tests)


def argument_name(draw: random.Random, task: Task) -> str:
    """What a function calls its list or string."""
    return draw.choice(LISTS if task.kind == "list" else STRINGS)


def made_name(draw: random.Random) -> str:
    """Three syllables that mean nothing."""
    return "".join(draw.choices(FIRST, k=3))


def value_of(expression: str, name: str, argument: str) -> str:
    """What the expression gives where the name is the argument, as Python writes it."""
    return repr(eval(expression, {"__builtins__": __builtins__}, {name: eval(argument)}))  # noqa: S307 - our own tables


def problem(exercise: Exercise, name: str) -> Problem:
    """As an exam asks it."""
    return Problem(name, exercise.prompt, exercise.prompt, exercise.tests, exercise.prompt + exercise.right)


def claim(exercise: Exercise) -> Problem:
    """The same with the teacher's answer as its solution, which may be mistaken: whether it counts is for the jail to say."""
    return Problem("claim", exercise.prompt, exercise.prompt, exercise.tests, exercise.prompt + exercise.answer)
