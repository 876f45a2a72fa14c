"""T6: a third of teaching text in the web mix. Does half of the tokens reach what web text alone reaches?

What a teacher writes is stood in for by two kinds of text, named as what they are: textbooks written by people, which a
capable teacher would have to match, and short stories that a large model did write (TinyStories).
"""

from __future__ import annotations

import numpy as np

from bench.proofs.frame import Finding, Lab, Proof, arms_table, plain
from bench.proofs.material import panel
from corpus.facts import table
from trainer.lab.arms import SYNTHETIC_SHARE, fill, take
from trainer.lab.cell import Cell, Exam

WEB, BOOKS, STORIES = ("web", "web-raw"), "edu", "synthetic-story"
WHOLE, HALF = "web", "web, half the tokens"
MIXES = {"web + 1/3 textbooks, half the tokens": BOOKS, "web + 1/3 stories, half the tokens": STORIES}
FREE = {BOOKS: "textbook"}  # the panel that an arm wins by having read text of its kind


def prove(lab: Lab) -> Finding:
    """Web at N and at N/2 tokens against mixes at N/2, each with its own decay."""
    size, half = lab.budget.panel_bytes, lab.budget.student.tokens // 2
    panels = {
        "raw-web": panel(lab.material.held(*WEB), size),
        "neutral": panel(lab.material.held("wiki"), size),
        "textbook": panel(lab.material.held(BOOKS), size),
    }
    web = plain(lab.material.train(*WEB))
    mixes = {name: plain(lab.material.train(kind)) for name, kind in MIXES.items() if lab.material.has(kind)}
    tokenizer = lab.tokenizer(
        [text for pool in (web, *mixes.values()) for text in take(pool, 800_000, np.random.default_rng(0))]
    )

    def cells(seed: int) -> list[Cell]:
        def draw() -> np.random.Generator:
            return np.random.default_rng([seed, 6])

        budget = half * 6
        found = [lab.cell(WHOLE, seed, take(web, 2 * budget, draw()), tokenizer),
                 lab.cell(HALF, seed, take(web, budget, draw()), tokenizer, tokens=half)]  # fmt: skip
        for name, pool in mixes.items():
            both = [*take(web, budget * (1 - SYNTHETIC_SHARE), draw()), *fill(pool, budget * SYNTHETIC_SHARE, draw())]
            order = draw().permutation(len(both))
            found.append(lab.cell(name, seed, [both[place] for place in order], tokenizer, tokens=half))
        return found

    lab.run((cell for seed in lab.seeds for cell in cells(seed)), Exam(panels))
    rows, reached = [], []
    for name in mixes:
        for where in panels:
            gap = lab.gap(name, WHOLE, where)
            free = where == FREE.get(MIXES[name])
            ok = gap.mean <= 0
            rows.append([name, where, str(gap), "yes" if ok else "no", "read text of its kind" if free else ""])
            reached += [f"{name} on {where}"] if ok and not free else []
    figures = [
        f"{name} against web at all tokens on {where}: {lab.gap(name, WHOLE, where)}"
        for name in mixes
        for where in panels
    ]
    return Finding(
        bool(reached),
        figures,
        f"{lab.budget.seeds} paired seeds",
        "web text at the same half of the tokens; panels of an arm's own kind of text do not count",
        [table("Reaches what web text alone reaches at twice the tokens", ["arm", "panel", "difference (95 %)", "reached", ""], rows),
         arms_table(lab, "Bits per byte", (WHOLE, HALF, *mixes), WHOLE, list(panels)),
         arms_table(lab, "Bits per byte of names and numbers: the cost", (WHOLE, HALF, *mixes), WHOLE, list(panels), "names")],
        "" if reached else "at this size half of the tokens costs more than any text in the other half's place gives back",
    )  # fmt: skip


PROOF = Proof(
    "t06_synthetic", "T6: a third of teaching text in the web mix saves tokens",
    "reaches the web-only loss in at most half of the tokens on at least one panel that is not of the added text's own kind; the cost on the others shown",
    (*WEB, "wiki", BOOKS), prove,
)  # fmt: skip
