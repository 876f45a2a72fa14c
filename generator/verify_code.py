"""Whether an exercise is true: its solution passes its tests, again and again, and its tests notice wrong solutions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from generator.assertions import Unfit, translated
from generator.exercise import Exercise, Kind, read_exercise
from generator.jail import Ended, Limits, Program
from generator.mutants import mutants, stub

RUNS = 3
"""Runs that must agree, each with another hash seed: an answer that hangs on the order of a set is seen."""
WRONG = Limits(seconds=6.0, cpu=2)  # a wrong version that runs longer is found out as well as one that ends
REASONS = {
    "failed": "code.fails", "error": "code.fails", "foreign": "code.unsupported", "time": "code.timeout",
    "output": "code.forged", "gone": "code.forged", "unasked": "code.forged", "silent": "code.forged",
}  # fmt: skip
Run = Callable[[Program, Limits | None], Ended]
"""Runs a program where foreign code may run; None stands for the usual limits."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is empty where the exercise holds. `programs` were run for it, and `mutant` is what its tests noticed."""

    reason: str
    detail: str = ""
    programs: int = 0
    mutant: str = ""
    unverified: bool = False
    """The code was not run."""

    @property
    def step(self) -> str:
        """What the lineage says."""
        return "unverified:code" if self.unverified else f"verified:code:{self.mutant}"


def verify_text(text: str, kind: Kind, run: Run) -> Verdict:
    """The verdict on a text that should hold an exercise."""
    try:
        exercise = read_exercise(text, kind)
    except Unfit as fault:
        return Verdict("code.unparsable", str(fault))
    return verify(exercise, run)


def verify(exercise: Exercise, run: Run) -> Verdict:
    """The first reason against an exercise, or none. A pure function of it unless its code is not."""
    try:
        tests, names = translated(exercise.tests, exercise.solution)
    except Unfit as fault:
        return Verdict("code.unsupported", str(fault))
    if not names:
        return Verdict("code.vacuous_tests", "the tests use nothing of the solution")
    program = Program(exercise.solution, tests, names)
    verdict = _holds(program, run)
    return verdict if verdict.reason else _noticed(program, verdict.programs, run)


def _holds(program: Program, run: Run) -> Verdict:
    for number in range(RUNS):
        ended = run(replace(program, hash_seed=number), None)
        if ended.kind != "passed":
            reason = REASONS[ended.kind] if number == 0 else "code.flaky"
            return Verdict(reason, f"run {number + 1}: {ended.detail}", number + 1)
        if ended.passed == 0 or ended.calls == 0:
            return Verdict("code.vacuous_tests", "no assertion about the solution was reached", number + 1)
    return Verdict("", programs=RUNS)


def _noticed(program: Program, programs: int, run: Run) -> Verdict:
    """Whether the tests fail the stub and a mutant."""
    if run(replace(program, solution=stub(program.names)), WRONG).kind == "passed":
        return Verdict("code.vacuous_tests", "functions that do nothing pass", programs + 1)
    programs += 1
    for mutant in mutants(program.solution):
        programs += 1
        if run(replace(program, solution=mutant.source), WRONG).kind != "passed":
            return Verdict("", programs=programs, mutant=mutant.kind)
    return Verdict("code.vacuous_tests", f"no mutant of {programs - RUNS - 1} is noticed", programs)
