"""T10: every way to make a student smaller, with what it costs."""

from __future__ import annotations

from typing import Any

from bench.proofs.command import told_by
from bench.proofs.frame import Finding, Lab, Proof
from corpus.facts import table

CHANGE, SIZE = 1.0, 0.55  # percent of the loss; of the bfloat16 file


def prove(lab: Lab) -> Finding:
    """int8 is the claim; the other routes are curves."""
    rows = told_by(lab, "compression")
    named = {row["route"]: row for row in rows}
    int8 = named.get("int8-all", named["int8"])  # with the embedding, which is most of so small a student
    reached = int8["loss_change_percent"] <= CHANGE and int8["of_the_bf16_file"] <= SIZE
    shown = (
        "route",
        "amount",
        "of_the_bf16_file",
        "bits_per_byte",
        "loss_change_percent",
        "healed_bits_per_byte",
        "healed_loss_change_percent",
    )
    columns = [name for name in shown if any(name in row for row in rows)]
    return Finding(
        reached, [f"{int8['route']}: {int8['loss_change_percent']:+.2f} % of the loss at {int8['of_the_bf16_file']:.2f} times the bfloat16 file"],
        "one student; every route is applied to it", "the same student in bfloat16",
        [table("Routes", [name.replace("_", " ") for name in columns], [[row.get(name) for name in columns] for row in rows]), _healing(rows)],
        "" if reached else "the file of a student this small is mostly embedding, which int8 does not touch, or the loss moved too far",
    )  # fmt: skip


def _healing(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The training loss while healing, the same windows for every route."""
    healed = [row for row in rows if "healing" in row]
    tokens = [tokens for tokens, _ in healed[0]["healing"]]
    return table(
        "While healing, nats a token after so many tokens", ["route", "amount", *(f"{count:,}" for count in tokens)],
        [[row["route"], row["amount"], *(nats for _, nats in row["healing"])] for row in healed],
    )  # fmt: skip


PROOF = Proof(
    "t10_compression", "T10: int8 costs next to nothing", f"int8: at most {CHANGE:.0f} % of the loss at ≤ {SIZE} times the bfloat16 file; a curve for each other route",
    (), prove, on_machine=True,
)  # fmt: skip
