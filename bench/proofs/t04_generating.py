"""T4: labels of the pass that wrote a text, which saw its prompt, against labels of the same teacher that sees the text alone."""

from __future__ import annotations

import os
import subprocess
import sys

from bench.proofs.command import ROOT, interval, told_by
from bench.proofs.frame import Finding, Lab, Proof
from corpus.facts import table
from ray_jobs.resolve import resolve

SAW, ALONE = "generating pass, top 19 and a tail", "without the prompt, top 19 and a tail"


def prove(lab: Lab) -> Finding:
    """The demo's teacher writes with its log-probabilities kept; students learn what it wrote, by either kind of label."""
    store = lab.home / "store"
    settings = [
        f"store={store}",
        "teacher.top_logprobs=20",
        "teacher.temperature=1.0",
        f"generate.documents={lab.budget.options['documents']:.0f}",
    ]
    command = [sys.executable, "-m", "ray_jobs.cli.main", "generate", "demo"]
    command += [part for setting in settings for part in ("--set", setting)]
    lab.home.mkdir(parents=True, exist_ok=True)
    threads = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    subprocess.run(command, cwd=ROOT, env=threads, check=True, stdout=subprocess.DEVNULL)
    run = store / resolve("demo").recipe.label
    told = told_by(
        lab, "distillation", "--generated", str(run), "--out", str(lab.home / "arms"), text=False, only=("seeds",)
    )
    gaps, prompt = told["hard_minus_arm"], told["without_minus_with_the_prompt"]
    beaten = {arm: gaps[arm]["low"] > 0 for arm in (SAW, ALONE)}
    rows = [
        [arm, found["mean"], found["sd"], "control" if arm not in gaps else interval(gaps[arm])]
        for arm, found in told["arms"].items()
    ]
    failed = [arm for arm, good in beaten.items() if not good]
    return Finding(
        not failed,
        [f"without the prompt − generating pass: {interval(prompt)} bits per byte",
         f"top 8 − unbiased, both of the generating pass: {interval(told['top8_minus_unbiased'])}",
         f"{told['held_out_tokens']:,} held-out tokens, {told['epochs']} epochs of {told['training_tokens']:,} tokens that the embedded teacher wrote"],
        f"{lab.budget.seeds} paired seeds", "hard labels at the same steps",
        [table("Bits per byte of held-out text of the same teacher", ["labels", "mean", "SD", "hard − arm (95 %)"], rows)],
        f"not better than hard labels: {', '.join(failed)}" if failed else "",
    )  # fmt: skip


PROOF = Proof(
    "t04_generating", "T4: labels of the generating pass, which saw the prompt, and labels without it",
    "both beat hard labels beyond their intervals; the difference between them is shown", (), prove, on_machine=True,
)  # fmt: skip
