"""T2: Muon for the matrices against AdamW at the best of three rates, at equal tokens."""

from __future__ import annotations

from bench.proofs.command import interval, told_by
from bench.proofs.frame import Finding, Lab, Proof
from corpus.facts import table

LEAST = 0.08


def prove(lab: Lab) -> Finding:
    """The best rate of AdamW is chosen afterwards, which favours AdamW."""
    told = told_by(lab, "optimizers")
    gap = told["best_adamw_minus_muon"]
    reached = gap["mean"] >= LEAST and gap["low"] > 0
    rows = [[arm, found["mean"], found["sd"]] for arm, found in told["arms"].items()]
    return Finding(
        reached, [f"best AdamW ({told['best_adamw']}) − Muon: {interval(gap)} bits per byte"],
        f"{lab.budget.options['seeds']:.0f} paired seeds, {told['tokens']:,} tokens each", "AdamW at three rates, the best of them chosen afterwards",
        [table(f"Bits per byte of {told['held_out_documents']} held-out documents", ["optimizer", "mean", "SD"], rows)],
        "" if reached else "the gain is smaller than that on this text",
    )  # fmt: skip


PROOF = Proof(
    "t02_optimizer",
    "T2: Muon learns faster than AdamW at its best rate",
    f"≥ {LEAST} bits per byte at equal tokens",
    (),
    prove,
    on_machine=True,
)
