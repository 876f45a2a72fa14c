"""T15: a student goes on with a domain, half of it replay. Does it gain there, and what does it lose elsewhere?"""

from __future__ import annotations

from collections import Counter

import numpy as np

from bench.proofs.frame import Finding, Lab, Proof, arms_table, mean, plain
from bench.proofs.material import panel
from trainer.lab.arms import fill, take
from trainer.lab.cell import Exam

GENERAL, BOOKS = ("web", "web-raw"), "edu"
WANTED = ("law", "finance", "economics")  # the domains that MindLLM was adapted to, as far as the text has them
BASE, DOMAIN, MORE = "general", "general, then the domain", "general, then as much general text"
REPLAY, LOSES = 0.5, 0.02


def prove(lab: Lab) -> Finding:
    """Base students, and two continuations of each: by domain and replay, and by more of the same as the control."""
    groups = Counter(text.group for text in lab.material.train(BOOKS))
    domain = next((name for name in WANTED if groups[name] >= 100), groups.most_common()[-1][0])
    books = [text for text in lab.material.train(BOOKS) if text.group == domain]
    size = lab.budget.panel_bytes
    exam = Exam({"domain": panel([text for text in lab.material.held(BOOKS) if text.group == domain], size),
                 "raw-web": panel(lab.material.held(*GENERAL), size), "neutral": panel(lab.material.held("wiki"), size)})  # fmt: skip
    web, own = plain(lab.material.train(*GENERAL)), plain(books)
    tokenizer = lab.tokenizer(
        [*take(web, 1_500_000, np.random.default_rng(0)), *take(own, 500_000, np.random.default_rng(0))]
    )
    budget = lab.budget.student.tokens * 6

    def draw(seed: int) -> np.random.Generator:
        return np.random.default_rng([seed, 15])

    bases = [lab.cell(BASE, seed, take(web, budget, draw(seed)), tokenizer, keep=True) for seed in lab.seeds]
    lab.run(bases, exam)
    more = int(lab.budget.options["tokens"])
    cells = []
    for seed, base in zip(lab.seeds, bases, strict=True):
        change = {"init": str(base.folder / "model"), "tokens": more,
                  "optimizer": {"kind": "adamw", "adamw_lr": lab.budget.options["rate"]}, "schedule": {"warmup": 0.05, "decay": 0.5}}  # fmt: skip
        mixed = [*fill(own, more * 6 * (1 - REPLAY), draw(seed)), *take(web, more * 6 * REPLAY, draw(seed + 100))]
        order = draw(seed).permutation(len(mixed))
        cells.append(lab.cell(DOMAIN, seed, [mixed[place] for place in order], tokenizer, **change))
        cells.append(lab.cell(MORE, seed, take(web, more * 6, draw(seed + 100)), tokenizer, **change))
    lab.run(cells, exam)
    gain, against = lab.gap(DOMAIN, BASE, "domain"), lab.gap(DOMAIN, MORE, "domain")
    lost = {name: mean(lab.values(DOMAIN, name)) / mean(lab.values(BASE, name)) - 1 for name in ("raw-web", "neutral")}
    reached = gain.high < 0 and against.high < 0 and max(lost.values()) <= LOSES
    return Finding(
        reached,
        [f"domain {domain}: {gain} bits per byte against the general student, {against} against as much more general text",
         *(f"{name}: {value:+.1%}" for name, value in lost.items())],
        f"{lab.budget.seeds} paired seeds",
        "the same student that goes on with as many tokens of general text",
        [arms_table(lab, "Bits per byte", (BASE, DOMAIN, MORE), BASE, list(exam.panels))],
        "" if reached else "the domain's gain does not leave its interval, or general text costs more than allowed",
    )  # fmt: skip


PROOF = Proof(
    "t15_domain", "T15: a domain pack gains in its domain and keeps the rest",
    f"domain loss falls beyond its interval, also against as much more general text; general loss at most {LOSES:.0%} worse",
    (*GENERAL, BOOKS, "wiki"), prove,
)  # fmt: skip
