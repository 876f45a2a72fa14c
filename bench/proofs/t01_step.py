"""T1: a training step against that of Hugging Face's `Trainer`, interleaved, in CPU seconds."""

from __future__ import annotations

from typing import Any

from bench.proofs.command import told_by
from bench.proofs.frame import Finding, Lab, Proof
from corpus.facts import table

COMPILED, EAGER, USED, TELLING = 1.35, 0.98, 0.40, 0.02


def prove(lab: Lab) -> Finding:
    """Best of the rounds of each."""
    told = told_by(lab, "training_speed", text=False)
    arms, width = told["arms"], told["shape"]["d_model"]
    eager, compiled = arms["ours eager"], arms["ours compiled"]
    cost = told["loss_by_source"]
    ok = {"compiled": compiled["ratio_to_trainer_best"] >= COMPILED, "eager": eager["ratio_to_trainer_best"] >= EAGER,
          "share of the peak": compiled["mfu"] >= USED, "loss by source": cost <= TELLING}  # fmt: skip
    failed = [name for name, good in ok.items() if not good]
    ours = {name: arm for name, arm in arms.items() if not name.startswith("trainer")}
    return Finding(
        not failed,
        [*(f"{name}: {arm['ratio_to_trainer_best']:.2f} times Trainer's tokens a CPU second, {arm['mfu']:.0%} of the measured peak at width {width}" for name, arm in ours.items()),
         f"telling the loss by source and language adds {cost:.2%} to a compiled step"],
        f"{lab.budget.options['rounds']:.0f} interleaved rounds", "Trainer, eager, in bfloat16, same model and windows",
        _tables(told), f"below the mark on this machine: {', '.join(failed)}" if failed else "",
    )  # fmt: skip


def _tables(told: dict[str, Any]) -> list[dict[str, Any]]:
    arms = [
        [name, arm["tokens_per_cpu_second"], arm["median"], arm["ratio_to_trainer_best"], f"{arm['mfu']:.0%}"]
        for name, arm in told["arms"].items()
    ]
    widths = [
        [row["width"], row["parameters"], row["tokens_per_cpu_second"], row["gemm_peak_gflops"], f"{row['mfu']:.0%}"]
        for row in told["by_width"]
    ]
    return [
        table(f"Tokens a CPU second, {told['dtype']}", ["arm", "best", "median", "times Trainer", "of the peak"], arms),
        table("Wider models, compiled", ["width", "parameters", "tokens a CPU second", "peak, GFLOP/s", "of the peak"], widths),
    ]  # fmt: skip


PROOF = Proof(
    "t01_step", "T1: a training step is as cheap as Trainer's, and cheaper compiled",
    f"≥ {COMPILED} times Trainer's tokens a CPU second compiled, ≥ {EAGER} eager; ≥ {USED:.0%} of the measured peak in bfloat16, at the width of the smallest preset; the loss by source for ≤ {TELLING:.0%} of a step",
    (), prove, on_machine=True,
)  # fmt: skip
