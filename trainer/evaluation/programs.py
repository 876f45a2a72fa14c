"""Functions that a student writes, run against their tests in the jail: pass@k, and for seen and unseen shapes apart.

pass@k is the unbiased estimator of Chen et al. 2021 (arXiv 2107.03374, section 2.1). Similar problems are those whose
reference solution has the shape of a function in the training text (phi-1, section 5): what a student solves among the
others is the honest figure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.assertions import Unfit, translated
from generator.jail import Ended, Limits, Program

STOP = re.compile(r"\n(?:class |def |#|if |print|assert|@|```|\"\"\"|import |from )")  # HumanEval's, and what chat adds
Run = Callable[[Program, Limits | None], Ended]


@dataclass(frozen=True, slots=True)
class Problem:
    """`prompt` is what the student goes on from; `head` stands before its words in the program that is run."""

    name: str
    prompt: str
    head: str
    tests: str
    reference: str


@dataclass(frozen=True, slots=True)
class Attempts:
    """`right` of `count` completions passed. `why` counts how the others ended."""

    problem: Problem
    count: int
    right: int
    why: Mapping[str, int]


def problem_of(row: Mapping[str, Any], name: str) -> Problem | None:
    """HumanEval (`prompt`, `test`, `entry_point`) or MBPP (`prompt` or `text`, `code`, `test_list`); None for others."""
    if "test" in row and "entry_point" in row:
        prompt = str(row["prompt"])
        tests = f"{row['test']}\ncheck({row['entry_point']})"
        return Problem(name, prompt, prompt, tests, prompt + str(row.get("canonical_solution", "")))
    if "test_list" in row and "code" in row:
        asked = str(row.get("prompt") or row.get("text")).strip()
        setup = str(row.get("test_setup_code") or "").replace("\r\n", "\n")
        tests = "\n".join([setup, *map(str, row["test_list"])])
        return Problem(
            name, f'"""\n{asked}\n{row["test_list"][0]}\n"""\n', "", tests, str(row["code"]).replace("\r\n", "\n")
        )
    return None


def judged(problem: Problem, completion: str, run: Run) -> str:
    """How the completed program ended: `passed`, or why not."""
    return _ended(problem, problem.head + cut(completion, problem.head), run)


def judgeable(problem: Problem, run: Run) -> bool:
    """Whether the problem's own solution passes its tests here: tests that reach beyond the jail's language cannot run."""
    return _ended(problem, problem.reference, run) == "passed"


def _ended(problem: Problem, source: str, run: Run) -> str:
    try:
        tests, names = translated(problem.tests, source)
    except Unfit:
        return "no Python"
    if not names:
        return "no such function"
    ended = run(Program(source, tests, names), None)
    if ended.kind != "passed":
        return ended.kind
    return "passed" if ended.passed > 0 and ended.calls > 0 else "nothing tested"


def cut(completion: str, head: str) -> str:
    """What belongs to the function: up to the first line that begins something else. Without a head the student writes
    the first line of the function too, after imports where it needs some."""
    found = STOP.search(completion, 0 if head else completion.find("def ") + 1)
    return completion[: found.start()] + "\n" if found else completion


def attempt(
    problems: Sequence[Problem], write: Callable[[str], Sequence[str]], run: Run
) -> tuple[list[Attempts], list[str]]:
    """Completions of each problem, judged; and the names of problems that cannot be judged here."""
    done: list[Attempts] = []
    unfit: list[str] = []
    for problem in problems:
        if not judgeable(problem, run):
            unfit.append(problem.name)
            continue
        ends = [judged(problem, text, run) for text in write(problem.prompt)]
        why = {kind: ends.count(kind) for kind in sorted(set(ends)) if kind != "passed"}
        done.append(Attempts(problem, len(ends), ends.count("passed"), why))
    return done, unfit


def pass_at(attempts: Sequence[Attempts], k: int) -> float:
    """Mean over problems of 1 − C(n − c, k) / C(n, k). Raises `ValueError` when a problem has fewer than `k` attempts."""
    if any(item.count < k for item in attempts):
        raise ValueError(f"pass@{k} needs {k} attempts at each problem")
    shares = [1 - math.comb(item.count - item.right, k) / math.comb(item.count, k) for item in attempts]
    return sum(shares) / len(shares) if shares else math.nan
