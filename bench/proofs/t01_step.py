"""T1: a training step against that of Hugging Face's `Trainer`, interleaved, in CPU seconds."""

from __future__ import annotations

from bench.proofs.command import told_by
from bench.proofs.frame import Finding, Lab, Proof
from corpus.facts import table

COMPILED, EAGER, USED = 1.35, 0.98, 0.40


def prove(lab: Lab) -> Finding:
    """Best of the rounds of each."""
    told = told_by(lab, "training_speed", text=False)
    arms = told["arms"]
    ours = {name: arm for name, arm in arms.items() if not name.startswith("trainer")}
    compiled = next((arm for name, arm in ours.items() if "compiled" in name), None)
    eager = next(arm for name, arm in ours.items() if "eager" in name)
    ok = {"compiled": compiled is not None and compiled["ratio_to_trainer_best"] >= COMPILED, "eager": eager["ratio_to_trainer_best"] >= EAGER,
          "share of the peak": compiled is not None and compiled["mfu"] >= USED}  # fmt: skip
    rows = [
        [name, arm["tokens_per_cpu_second"], arm["median"], arm["ratio_to_trainer_best"], f"{arm['mfu']:.0%}"]
        for name, arm in arms.items()
    ]
    failed = [name for name, good in ok.items() if not good]
    return Finding(
        not failed, [f"{name}: {arm['ratio_to_trainer_best']:.2f} times Trainer's tokens a CPU second, {arm['mfu']:.0%} of the measured peak" for name, arm in ours.items()],
        f"{lab.budget.options['rounds']:.0f} interleaved rounds", "Trainer, eager, in bfloat16, same model and windows",
        [table(f"Tokens a CPU second, {told['dtype']}", ["arm", "best", "median", "times Trainer", "of the peak"], rows)],
        f"below the mark on this machine: {', '.join(failed)}" if failed else "",
    )  # fmt: skip


PROOF = Proof(
    "t01_step", "T1: a training step is as cheap as Trainer's, and cheaper compiled",
    f"≥ {COMPILED} times Trainer's tokens a CPU second compiled, ≥ {EAGER} eager; ≥ {USED:.0%} of the measured peak in bfloat16", (), prove, on_machine=True,
)  # fmt: skip
