"""T5: what a filter keeps of web text, against the web text and against a random part of the same size."""

from __future__ import annotations

import numpy as np

from bench.proofs.choice import choose
from bench.proofs.frame import Finding, Lab, Proof, arms_table, plain
from bench.proofs.material import panel
from trainer.lab.arms import FILTERED, RANDOM, RAW, Pools, take, texts_of
from trainer.lab.cell import Exam

GAIN, SPREADS, OVER_RANDOM = 0.08, 3.0, 0.03
CURATED, RAW_WEB, NEUTRAL, BOOKS = "curated-like", "raw-web", "neutral", "textbook"


def prove(lab: Lab) -> Finding:
    """Three arms at equal tokens; curated-like is held-out web text that the filter keeps."""
    size = lab.budget.panel_bytes
    choice = choose(lab.material, lab.budget.options["keep"])
    panels = {CURATED: panel(choice.kept_held, size), RAW_WEB: panel(choice.raw_held, size)}
    for name, kinds in ((NEUTRAL, ("wiki",)), (BOOKS, ("edu",))):
        if held := lab.material.held(*kinds):
            panels[name] = panel(held, size)
    pools = Pools(plain(choice.raw), plain(choice.kept))
    tokenizer = lab.tokenizer(
        [text for pool in (pools.raw, pools.filtered) for text in take(pool, 1_500_000, np.random.default_rng(0))]
    )
    budget = lab.budget.student.tokens * 6
    arms = (RAW, RANDOM, FILTERED)
    lab.run(
        (lab.cell(arm, seed, texts_of(arm, pools, budget, seed), tokenizer) for seed in lab.seeds for arm in arms),
        Exam(panels),
    )
    gain, chosen = lab.gap(FILTERED, RAW, CURATED), lab.gap(FILTERED, RANDOM, CURATED)
    spreads = -gain.mean / gain.sd
    reached = -gain.mean >= GAIN and spreads > SPREADS and -chosen.mean >= OVER_RANDOM and chosen.high < 0
    return Finding(
        reached,
        [choice.told, f"filtered against raw on curated-like text: {gain}, {spreads:.1f} SD of the paired difference",
         f"filtered against a random part of the same size on curated-like text: {chosen}",
         *(f"filtered against raw on {name} text: {lab.gap(FILTERED, RAW, name)}" for name in panels if name != CURATED)],
        f"{lab.budget.seeds} paired seeds",
        "a random part of the pool of the same size, at the same tokens",
        [arms_table(lab, "Bits per byte", arms, RAW, list(panels)), arms_table(lab, "Bits per byte of names and numbers", arms, RAW, list(panels), "names")],
        "" if reached else _cause(-gain.mean, -chosen.mean),
    )  # fmt: skip


def _cause(gain: float, over_random: float) -> str:
    return (
        f"the gain is {gain:.3f} over raw and {over_random:.3f} over random: at this size a student is still learning the "
        "grammar that both texts share"
    )


PROOF = Proof(
    "t05_curated", "T5: a filter's choice of web text teaches more than the web text",
    f"≥ {GAIN} and > {SPREADS:.0f} SD over raw on curated-like text; ≥ {OVER_RANDOM} over a random part; the other panels shown",
    ("web",), prove, on_machine=True,
)  # fmt: skip
