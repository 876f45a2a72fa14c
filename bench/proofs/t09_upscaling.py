"""T9: a student that begins as a tiled smaller one against one that begins anew."""

from __future__ import annotations

from bench.proofs.command import interval, told_by
from bench.proofs.frame import Finding, Lab, Proof
from corpus.facts import curves

NEAR = 0.01


def prove(lab: Lab) -> Finding:
    """The tiled model before any step, and both training losses at every logged step."""
    told = told_by(lab, "upscaling")
    below = told["below_new_weights_at_every_logged_step"]
    reached = told["largest_relative_difference"] <= NEAR and all(below)
    losses = {
        name: [[float(step), loss] for step, loss in enumerate(values)]
        for name, values in told["training_loss"].items()
    }
    return Finding(
        reached,
        [f"before a step: at most {told['largest_relative_difference']:.2%} from the source's bits per byte", f"below new weights at every logged step: {sum(below)} of {len(below)} seeds",
         f"after training, new − tiled: {interval(told['new_minus_tiled'])} bits per byte"],
        f"{lab.budget.options['seeds']:.0f} paired seeds", "the same large student from new weights, on the same windows",
        [curves("Training loss", "logged step", "nats per token", {name: [(a, b) for a, b in points] for name, points in losses.items()})],
        "" if reached else "the tiled student is not ahead everywhere",
    )  # fmt: skip


PROOF = Proof(
    "t09_upscaling", "T9: a tiled student begins where its source ended",
    f"step-0 loss within {NEAR:.0%} of the source's, and below new weights at every logged step", (), prove, on_machine=True,
)  # fmt: skip
