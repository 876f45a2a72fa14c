"""T7: web against web. Twelve runs that differ in nothing but their draw; how often does the lab see a difference?"""

from __future__ import annotations

import numpy as np

from bench.proofs.frame import Finding, Lab, Proof, plain
from bench.proofs.material import MACHINE, panel
from corpus.facts import table
from trainer.lab.arms import take
from trainer.lab.cell import Exam
from trainer.lab.statistics import false_positives, paired, unpaired

WEB = ("web", "web-raw")
MOST = 0.07


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
    rates: dict[str, float] = {}
    rows: list[list[object]] = []
    for name, rule in (("paired", paired), ("unpaired (Welch)", unpaired)):
        positive, splits = false_positives(values, 3, rule)
        rates[name] = positive / splits
        rows.append([name, positive, splits, f"{positive / splits:.2%}"])
    spread = float(np.std(values, ddof=1))
    failed = [f"{rate:.2%} by the {name} interval" for name, rate in rates.items() if rate > MOST]
    return Finding(
        not failed,
        [f"{len(values)} runs: {min(values):.4f} to {max(values):.4f} bits per byte, SD {spread:.4f}",
         f"false positives: {', '.join(f'{rate:.2%} {name}' for name, rate in rates.items())}"],
        f"{len(values)} runs, each with its own draw, order and weights",
        "the proof is the control",
        [table("Splits of equal runs that look different at 95 %", ["interval", "look different", "splits", "rate"], rows)],
        f"{' and '.join(failed)}; both had to hold. Twelve runs without a difference exceed {MOST:.0%} by an exact paired interval in "
        "about one set of ten, and pairs mean nothing where runs share no seed" if failed else "",
    )  # fmt: skip


PROOF = Proof(
    "t07_null",
    "T7: equal arms are not told apart",
    f"false-positive rate of at most {MOST:.0%} over all 3-against-3 splits of 12 runs, by the paired and by the unpaired interval",
    WEB,
    prove,
    on_machine=True,
)
