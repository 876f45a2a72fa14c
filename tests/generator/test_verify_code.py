"""Exercises are read strictly, and kept only where code and tests agree and the tests notice wrong code."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from generator.assertions import Unfit, translated
from generator.exercise import read_exercise
from generator.jail import Jail
from generator.mutants import KINDS, mutants, stub
from generator.verify_code import verify_text
from tests.fakes.exercises import EXAMPLES, GOOD, TESTED, planted
from tests.fakes.recorded import functions


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail(4) as made:
        yield made


def test_planted_defects_are_found_and_the_good_are_kept(jail: Jail) -> None:
    exercises = planted(GOOD)
    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(lambda item: verify_text(item.text, item.kind, jail.run), exercises))
    wrong = [
        (item.name, item.expected, found) for item, found in zip(exercises, verdicts, strict=True)
        if found.reason not in item.expected
    ]  # fmt: skip
    assert not wrong
    assert {item.defect for item in exercises} == {"", "wrong", "vacuous", "flaky", "forger"}


def test_an_exercise_is_two_blocks_or_one_with_examples() -> None:
    assert read_exercise(TESTED, "tests").tests.count("assert") == 3
    assert "assert (double(2)) == (4)" in read_exercise(EXAMPLES, "examples").tests


@pytest.mark.parametrize(
    "change, why",
    [
        (lambda text: text.replace("```python", "```text", 1), "marked 'text'"),
        (lambda text: text + "\n```python\nx = 1\n```\n", "3 fenced blocks"),
        (lambda text: text[text.index("```") :], "no task"),
        (lambda text: text.replace("def ", "def def "), "SyntaxError"),
        (lambda text: text.replace("assert double(0) == 0\nassert double(-3) == -6\n", ""), "1 assertions"),
    ],
)
def test_a_doubtful_text_is_no_exercise(change: object, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        read_exercise(change(TESTED), "tests")  # type: ignore[operator]


@pytest.mark.parametrize(
    "tests",
    [
        "import os\nos._exit(0)", "assert f.__globals__", "(lambda: 0).__code__", "from sys import exit", "exec('1')\n_check(1, 1)",
        "class A: pass", "assert (i for i in []).gi_frame", "while True: pass", "try:\n    f()\nexcept:\n    pass",
        "from functools import *", "import collections.abc", "match f():\n    case object(real=x): pass",
    ],
)  # fmt: skip
def test_tests_cannot_name_what_leads_to_the_harness(tests: str) -> None:
    with pytest.raises(Unfit):
        translated(tests, "def f(): pass")


def test_names_of_the_solution_alone_are_asked_for() -> None:
    source, names = translated("x = f(1)\nassert x == g and len([x]) == 1\n", "def f(n): return n\ng = 3\nh = 4\n")
    assert names == ("f", "g")
    assert "_check" in source


def test_test_functions_that_nobody_calls_are_called() -> None:
    assert translated("def test_a():\n    assert f() == 1\n", "def f(): return 1")[0].endswith("test_a()")


def test_mutants_are_of_several_kinds_differ_and_are_always_the_same() -> None:
    source = (
        "def f(items, low=0):\n    total = 0\n    for item in items:\n        if item > low and item != 3:\n"
        "            total += item * 2\n    return total\n"
    )
    found = mutants(source)
    assert {item.kind for item in found} == set(KINDS)
    assert len({item.source for item in found}) == len(found)
    assert mutants(source) == found


def test_a_solution_without_anything_to_change_has_its_value_wrapped() -> None:
    assert [item.kind for item in mutants("def f(x):\n    return sorted(x)\n")] == ["return"]
    assert stub(("f",)) == "def f(*args, **kwargs):\n    return None\n"


@pytest.mark.soak
@pytest.mark.timeout(1500)
def test_five_hundred_exercises_of_real_functions_are_told_from_their_defects(jail: Jail) -> None:
    """G7: built from the standard library's own functions and the values that they return here."""
    exercises = planted(functions(70))
    begun = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(lambda item: verify_text(item.text, item.kind, jail.run), exercises))
    seconds, programs = time.monotonic() - begun, sum(verdict.programs for verdict in verdicts)
    pairs = list(zip(exercises, verdicts, strict=True))
    good = [found for item, found in pairs if not item.defect]
    kept = [item for item, found in pairs if not found.reason]
    print(f"\n{len(exercises)} exercises, {programs} programs in {seconds:.0f} s: {programs / seconds:.1f} a second")
    for defect in ("", "wrong", "vacuous", "flaky", "forger"):
        found = Counter(verdict.reason or "kept" for item, verdict in pairs if item.defect == defect)
        print(f"{defect or 'good':<8} {sum(found.values()):>4}  {dict(found)}")
    assert len(exercises) >= 500
    assert [(item.name, found) for item, found in pairs if found.reason not in item.expected] == []
    with Jail(4) as clean, ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda item: verify_text(item.text, item.kind, clean.run).reason, kept))
    print(f"{len(kept)} kept of {len(good)} good, {again.count('')} of them pass again in a clean jail")
    assert set(again) == {""}
    assert len(kept) == len(good)
