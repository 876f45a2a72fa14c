"""T7: web against web. Sets of twelve runs that differ in nothing but their draw; how often does the lab see a difference?

One set tells little: of twelve runs without a difference the rate of an exact interval is above 7 % in about one set of
ten. So there are several sets, all of them count, and the rate is that of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bench.proofs.frame import Finding, Lab, Proof, plain
from bench.proofs.material import MACHINE, panel
from corpus.facts import table
from trainer.lab.arms import take
from trainer.lab.cell import Exam
from trainer.lab.statistics import Difference, false_positives, paired, unpaired

WEB = ("web", "web-raw")
MOST = 0.07
RUNS = 12  # of a set
RULES = {"paired": paired, "unpaired (Welch)": unpaired}


def prove(lab: Lab) -> Finding:
    """Every split of the runs into three against three, by the paired and by the unpaired interval."""
    kinds = WEB if lab.material.has(*WEB) else MACHINE
    pool = plain(lab.material.train(*kinds))
    exam = Exam({"raw-web": panel(lab.material.held(*kinds), lab.budget.panel_bytes)})
    tokenizer = lab.tokenizer(pool)
    size = lab.budget.student.tokens * 6  # bytes: more than a token's four, so that a draw is never read twice
    cells = [
        lab.cell("null", seed, take(pool, size, np.random.default_rng([seed, 7])), tokenizer) for seed in lab.seeds
    ]
    lab.run(cells, exam)
    values = lab.values("null", "raw-web")
    sets = [values[start : start + RUNS] for start in range(0, len(values), RUNS)]
    rates = {name: [_rate(one, rule) for one in sets] for name, rule in RULES.items()}
    means = {name: float(np.mean(found)) for name, found in rates.items()}
    failed = [f"{rate:.2%} by the {name} interval" for name, rate in means.items() if rate > MOST]
    rows = [[f"runs {place * RUNS + 1} to {(place + 1) * RUNS}", *(f"{found[place]:.2%}" for found in rates.values())]
            for place in range(len(sets))]  # fmt: skip
    return Finding(
        not failed,
        [f"{len(values)} runs: {min(values):.4f} to {max(values):.4f} bits per byte, SD {float(np.std(values, ddof=1)):.4f}",
         f"false positives: {', '.join(f'{rate:.2%} {name}' for name, rate in means.items())}"],
        f"{len(sets)} sets of {RUNS} runs, each run with its own draw, order and weights", "the proof is the control",
        [table("Splits of equal runs that look different at 95 %", ["set", *rates], [*rows, ["all", *(f"{rate:.2%}" for rate in means.values())]])],
        " and ".join(failed),
    )  # fmt: skip


def _rate(values: Sequence[float], rule: Callable[[Sequence[float], Sequence[float]], Difference]) -> float:
    positive, splits = false_positives(values, 3, rule)
    return positive / splits


PROOF = Proof(
    "t07_null",
    "T7: equal arms are not told apart",
    f"false-positive rate of at most {MOST:.0%} over all 3-against-3 splits of sets of 12 runs, by the paired and by the unpaired interval",
    WEB,
    prove,
    on_machine=True,
)
