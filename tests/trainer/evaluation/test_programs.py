"""Programs count when they pass their tests in the jail, and only then; what was read before is said beside the score."""

from __future__ import annotations

import pytest

from filters.benchmarks import item_of
from generator.jail import Jail
from trainer.evaluation.contamination import contamination
from trainer.evaluation.programs import Attempts, attempt, cut, pass_at, problem_of

HUMANEVAL = {
    "task_id": "T/0", "prompt": 'def add_all(numbers):\n    """Sum of the numbers."""\n', "entry_point": "add_all",
    "canonical_solution": "    total = 0\n    for number in numbers:\n        total += number\n    return total\n",
    "test": "def check(candidate):\n    assert candidate([1, 2]) == 3\n    assert candidate([]) == 0\n",
}  # fmt: skip
MBPP = {
    "task_id": 7, "text": "Write a function to double a number.", "code": "def twice(x):\r\n    return 2 * x",
    "test_list": ["assert twice(2) == 4", "assert twice(-1) == -2"], "test_setup_code": "",
}  # fmt: skip


def test_right_programs_pass_and_wrong_ones_are_told_apart(jail: Jail) -> None:
    problem = problem_of(HUMANEVAL, "h")
    assert problem is not None
    written = [
        "    return sum(numbers)\n\ndef other():\n    return 1\n",
        "    return 0\n",
        "    return (\n",
        "    raise SystemExit(0)\n",
        "    return sum(numbers)\nprint(add_all([1]))",
    ]
    done, unfit = attempt([problem], lambda prompt: written, jail.run)
    assert unfit == []
    assert (done[0].count, done[0].right) == (5, 2)
    assert done[0].why["failed"] == 2  # a wrong sum, and an exit where a value was asked for
    assert done[0].why["no Python"] == 1


def test_a_problem_without_a_head_is_written_whole(jail: Jail) -> None:
    problem = problem_of(MBPP, "m")
    assert problem is not None
    assert MBPP["test_list"][0] in problem.prompt
    written = ["import math\ndef twice(x):\n    return x * 2\n\n# end\nassert False", "def once(x):\n    return x\n"]
    done, _ = attempt([problem], lambda prompt: written, jail.run)
    assert (done[0].right, dict(done[0].why)) == (1, {"no such function": 1})


def test_a_problem_whose_own_solution_fails_is_not_judged(jail: Jail) -> None:
    broken = problem_of(HUMANEVAL | {"canonical_solution": "    return 5\n"}, "broken")
    assert broken is not None
    assert attempt([broken], lambda prompt: ["    return sum(numbers)\n"], jail.run) == ([], ["broken"])


@pytest.mark.parametrize(
    ("completion", "kept"), [("    return 1\n\nclass A:", "    return 1\n\n"), ("    return 1", "    return 1")]
)
def test_a_completion_ends_where_something_else_begins(completion: str, kept: str) -> None:
    assert cut(completion, "def f():\n") == kept


def test_pass_at_k_is_the_unbiased_estimator() -> None:
    problem = problem_of(MBPP, "m")
    assert problem is not None
    runs = [Attempts(problem, 4, right, {}) for right in (0, 1, 4)]
    assert pass_at(runs, 1) == pytest.approx((0 + 0.25 + 1) / 3)
    assert pass_at(runs, 2) == pytest.approx((0 + 0.5 + 1) / 3)  # 1 − C(3,2)/C(4,2) = 1/2
    with pytest.raises(ValueError, match="pass@5"):
        pass_at(runs, 5)


def test_items_that_were_read_are_found_also_under_other_names() -> None:
    items = [item_of(HUMANEVAL, "h", "0"), item_of(MBPP, "m", "7")]
    renamed = "Notes.\n\ndef gather(values):\n    result = 0\n    for one in values:\n        result += one\n    return result\n"
    seen = contamination(items, ["Nothing of the kind.", renamed])
    assert seen.found == {"h#0"}
    assert seen.similar["h#0"] > 0.85
    assert contamination(items, ["Nothing of the kind."]).found == frozenset()
