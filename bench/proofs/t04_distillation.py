"""T4: soft labels of the embedded teacher against hard labels, at equal steps."""

from __future__ import annotations

from bench.proofs.command import interval, told_by
from bench.proofs.frame import Finding, Lab, Proof
from corpus.facts import table

HARD, TOP8, OVERHEAD, TOKENS = 0.10, 0.03, 0.10, 20_000
DRAWN, NOBODY = "50 drawn", "untrained teacher"


def prove(lab: Lab) -> Finding:
    """Drawn targets against hard ones and against the renormalised top 8; an untrained teacher as the control."""
    told = told_by(lab, "distillation")
    gaps, top = told["hard_minus_arm"], told["top8_minus_drawn"]
    slower = told["step_overhead"][DRAWN]
    ok = {"drawn against hard": gaps[DRAWN]["mean"] >= HARD, "drawn against the renormalised top 8": top["mean"] >= TOP8,
          "an untrained teacher hurts": gaps[NOBODY]["mean"] < 0, "held-out tokens": told["held_out_tokens"] >= TOKENS,
          "a step's overhead": slower <= OVERHEAD}  # fmt: skip
    failed = [name for name, good in ok.items() if not good]
    rows = [
        [arm, found["mean"], found["sd"], "control" if arm not in gaps else interval(gaps[arm])]
        for arm, found in told["arms"].items()
    ]
    return Finding(
        not failed,
        [f"hard − drawn: {interval(gaps[DRAWN])}", f"renormalised top 8 − drawn: {interval(top)}", f"hard − untrained teacher: {interval(gaps[NOBODY])}",
         f"a step with drawn targets takes {1 + slower:.2f} times the CPU of one with hard labels; {told['held_out_tokens']:,} held-out tokens, {told['epochs']} epochs of {told['training_tokens']:,} tokens"],
        f"{lab.budget.options['seeds']:.0f} paired seeds", "hard labels at the same steps, and an untrained teacher",
        [table("Bits per byte of held-out text", ["targets", "mean", "SD", "hard − arm (95 %)"], rows)],
        f"not at this size: {', '.join(failed)}" if failed else "",
    )  # fmt: skip


PROOF = Proof(
    "t04_distillation", "T4: a teacher's soft labels teach more than hard ones",
    f"drawn targets beat hard labels by ≥ {HARD} and the renormalised top 8 by ≥ {TOP8} bits per byte on ≥ {TOKENS:,} tokens; an untrained teacher hurts; a step takes at most {OVERHEAD:.0%} longer",
    (), prove, on_machine=True,
)  # fmt: skip
