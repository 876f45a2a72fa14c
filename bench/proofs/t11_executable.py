"""T11: code alone, code and lessons, code and lessons and verified exercises: how many unseen functions run right?

The order is phi-1's (arXiv 2306.11644, figure 2.1). What a lesson is and what it leaves to exercises: `bench/proofs/lessons.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.proofs.family import BESIDE, FAMILY, Task, claim, exercises, problem
from bench.proofs.frame import Finding, Lab, Proof, arms_table, mean, plain
from bench.proofs.lessons import lessons
from bench.proofs.material import panel
from filters.program_shape import functions
from generator.jail import Jail
from trainer.evaluation.programs import Problem, judgeable
from trainer.lab.arms import fill, take
from trainer.lab.cell import Cell, Exam

CODE = "code"
RAW, LESSONS, EXERCISES = "raw code", "code and lessons", "code, lessons and verified exercises"
ASKED, WRITTEN, SHARE = 144, 1500, 1 / 3
SIMILAR, OTHER = "drilled", "lessons only"
SHARES = {RAW: (1.0, 0.0, 0.0), LESSONS: (1 - SHARE, SHARE, 0.0), EXERCISES: (1 - 2 * SHARE, SHARE, SHARE)}


def prove(lab: Lab) -> Finding:
    """Three arms at equal tokens; the exam is run in the jail."""
    written = int(lab.budget.options["exercises"])
    practice, book = verified(written, 1), lessons(WRITTEN, 1)
    asked = {SIMILAR: exam_of(FAMILY, ASKED), OTHER: exam_of(BESIDE, ASKED // 3)}
    exam = Exam({"code": panel(lab.material.held(CODE), lab.budget.panel_bytes)}, problems=asked)
    lab.run(_cells(lab, plain(lab.material.train(CODE)), book, practice), exam)
    right = {part: {arm: mean(lab.values(arm, part, "right")) for arm in SHARES} for part in asked}
    steps = [lab.gap(LESSONS, RAW, SIMILAR, "right"), lab.gap(EXERCISES, LESSONS, SIMILAR, "right")]
    rising = all(step.low > 0 for step in steps)
    return Finding(
        rising,
        [f"pass@1: {_told(right[SIMILAR])}, of {ASKED} functions with unseen names",
         f"lessons over raw code {steps[0]}, exercises over lessons {steps[1]}",
         f"pass@1 of {ASKED // 3} functions that only lessons tell of ({shaped_alike(asked[OTHER], practice)} have the syntax tree of an "
         f"exercise; of the others {shaped_alike(asked[SIMILAR], practice)} of {ASKED}): {_told(right[OTHER])}",
         f"{len(practice)} of {written} exercises passed their tests in the jail; the others were not read. Nobody ran the lessons"],
        f"{lab.budget.seeds} paired seeds", "raw code at the same tokens; the family and its lessons are generated "
        "(`bench/proofs/family.py`, `bench/proofs/lessons.py`)",
        [arms_table(lab, "Share of functions that pass their tests", list(SHARES), RAW, list(asked), "right"),
         arms_table(lab, "Bits per byte of held-out code", list(SHARES), RAW, ["code"])],
        "" if rising else "not every step of raw code < lessons < exercises lies outside its interval at this size",
    )  # fmt: skip


def verified(count: int, seed: int) -> list[str]:
    """What passes its tests of so many exercises that a teacher wrote."""
    with Jail(parallel=1) as jail:
        return [item.prompt + item.answer for item in exercises(count, seed) if judgeable(claim(item), jail.run)]


def exam_of(tasks: Sequence[Task], count: int) -> list[Problem]:
    """Functions with names that nobody has read."""
    return [problem(item, f"exam#{number}") for number, item in enumerate(exercises(count, 0, exam=True, tasks=tasks))]


def shaped_alike(problems: Sequence[Problem], practice: Sequence[str]) -> int:
    """How many have the very syntax tree of an exercise, names aside: the similar problems of phi-1, section 5."""
    drilled = {tuple(shape) for text in practice for shape in functions(text)}
    return sum(tuple(shape) in drilled for item in problems for shape in functions(item.reference))


def _cells(lab: Lab, code: list[str], book: list[str], practice: list[str]) -> list[Cell]:
    tokenizer = lab.tokenizer([*take(code, 1_000_000, np.random.default_rng(0)), *book, *practice])
    cells = []
    for seed in lab.seeds:
        for arm, parts in SHARES.items():
            draw = np.random.default_rng([seed, 11])
            texts = [
                text
                for pool, share in zip((code, _pages(book, draw), _pages(practice, draw)), parts, strict=True)
                for text in fill(pool, lab.budget.student.tokens * 5 * share, draw)
            ]
            order = draw.permutation(len(texts))
            cells.append(lab.cell(arm, seed, [texts[place] for place in order], tokenizer))
    return cells


def _pages(texts: list[str], draw: np.random.Generator) -> list[str]:
    """Twenty short texts a page, so that a page is as long as a file of code."""
    mixed = [texts[place] for place in draw.permutation(len(texts))]
    return ["\n\n".join(mixed[place : place + 20]) for place in range(0, len(mixed), 20)]


def _told(shares: dict[str, float]) -> str:
    return ", ".join(f"{arm} {share:.1%}" for arm, share in shares.items())


PROOF = Proof(
    "t11_executable", "T11: lessons teach functions that run, verified exercises teach more",
    "pass@1 on functions with unseen names rises from raw code to + lessons to + verified exercises, each step beyond its interval",
    (CODE,), prove,
)  # fmt: skip
