"""T11: code alone, code and lessons, code and lessons and verified exercises: how many unseen functions run right?"""

from __future__ import annotations

import numpy as np

from bench.proofs.family import exercises, problem
from bench.proofs.frame import Finding, Lab, Proof, arms_table, mean, plain
from bench.proofs.material import panel
from generator.jail import Jail
from trainer.evaluation.programs import judgeable
from trainer.lab.arms import fill, take
from trainer.lab.cell import Exam

CODE = "code"
RAW, LESSONS, EXERCISES = "raw code", "code and lessons", "code, lessons and verified exercises"
ASKED, WRITTEN, SHARE = 144, 1500, 1 / 3


def prove(lab: Lab) -> Finding:
    """Three arms at equal tokens; the exam is run in the jail."""
    asked = [problem(item, f"exam#{number}") for number, item in enumerate(exercises(ASKED, 0, exam=True))]
    exam = Exam({"code": panel(lab.material.held(CODE), lab.budget.panel_bytes)}, problems={"exam": asked})
    code = plain(lab.material.train(CODE))
    drawn = exercises(WRITTEN, 1)
    with Jail(parallel=1) as jail:
        first = [judgeable(problem(item, "check"), jail.run) for item in drawn[: int(lab.budget.options["verified"])]]
    verified = [item for item, good in zip(drawn, first, strict=False) if good]
    lessons, practice = [item.lesson for item in drawn], [item.prompt + item.answer for item in verified]
    tokenizer = lab.tokenizer([*take(code, 1_000_000, np.random.default_rng(0)), *lessons, *practice])
    budget = lab.budget.student.tokens * 5
    shares = {RAW: (1.0, 0.0, 0.0), LESSONS: (1 - SHARE, SHARE, 0.0), EXERCISES: (1 - 2 * SHARE, SHARE, SHARE)}
    cells = []
    for seed in lab.seeds:
        for arm, parts in shares.items():
            draw = np.random.default_rng([seed, 11])
            texts = [
                text
                for pool, share in zip((code, _pages(lessons, draw), _pages(practice, draw)), parts, strict=True)
                for text in fill(pool, budget * share, draw)
            ]
            order = draw.permutation(len(texts))
            cells.append(lab.cell(arm, seed, [texts[place] for place in order], tokenizer))
    lab.run(cells, exam)
    shares_right = {arm: mean(lab.values(arm, "exam", "right")) for arm in shares}
    rising = shares_right[RAW] < shares_right[LESSONS] < shares_right[EXERCISES]
    return Finding(
        rising,
        [f"pass@1: {', '.join(f'{arm} {share:.1%}' for arm, share in shares_right.items())}, of {ASKED} functions with unseen names",
         f"{len(verified)} of {len(first)} exercises passed their tests in the jail before they were read"],
        f"{lab.budget.seeds} paired seeds", "raw code at the same tokens; the family is generated (`bench/proofs/family.py`)",
        [arms_table(lab, "Share of functions that pass their tests", list(shares), RAW, ["exam"], "right"),
         arms_table(lab, "Bits per byte of held-out code", list(shares), RAW, ["code"])],
        "" if rising else "the order raw code < lessons < exercises does not appear at this size",
    )  # fmt: skip


def _pages(texts: list[str], draw: np.random.Generator) -> list[str]:
    """Twenty short texts a page, so that a page is as long as a file of code."""
    mixed = [texts[place] for place in draw.permutation(len(texts))]
    return ["\n\n".join(mixed[place : place + 20]) for place in range(0, len(mixed), 20)]


PROOF = Proof(
    "t11_executable", "T11: lessons teach functions that run, verified exercises teach more",
    "pass@1 on functions with unseen names strictly rises: raw code < + lessons < + verified exercises", (CODE,), prove,
)  # fmt: skip
