"""T12: budgets by weakness against even budgets, at equal tokens.

The teacher's place is taken by textbooks: to ask for a topic is to draw from its shelf. So the proof is about the
allocation alone; `hornbook lab loop` does the same with a teacher.
"""

from __future__ import annotations

import numpy as np

from bench.proofs.frame import Finding, Lab, Proof, arms_table, mean
from bench.proofs.material import panel
from corpus.facts import table
from trainer.lab.allocation import Weakness, allocate
from trainer.lab.arms import take
from trainer.lab.cell import Cell, Exam

CLOSED, UNIFORM, ROUNDS, UNITS = "closed", "uniform", 2, 100
LEAST = 80  # texts of a topic


def prove(lab: Lab) -> Finding:
    """Two rounds after a shared one; every student is trained from new weights on all that its line has so far."""
    shelves: dict[str, list[str]] = {}
    for text in lab.material.train("edu"):
        shelves.setdefault(text.group, []).append(text.text)
    topics = sorted(name for name, texts in shelves.items() if len(texts) >= LEAST)
    panels = {
        name: panel([text for text in lab.material.held("edu") if text.group == name], lab.budget.panel_bytes)
        for name in topics
    }
    tokenizer = lab.tokenizer(
        [text for name in topics for text in take(shelves[name], 250_000, np.random.default_rng(0))]
    )
    exam, unit = Exam(panels), lab.budget.options["round_bytes"] / UNITS

    def cells(line: str, number: int, budgets: dict[int, dict[str, int]]) -> list[Cell]:
        """Students of one line after a round; `budgets` holds units a topic so far, by seed."""
        found = []
        for seed in lab.seeds:
            texts = [
                text
                for name in topics
                for text in take(
                    shelves[name], budgets[seed][name] * unit, np.random.default_rng([seed, topics.index(name)])
                )
            ]
            order = np.random.default_rng(seed).permutation(len(texts))
            found.append(lab.cell(f"{line}, round {number}", seed, [texts[place] for place in order], tokenizer))
        return found

    even = allocate(dict.fromkeys(topics, Weakness(0, 0, 0)), UNITS, "loss")
    closed = {seed: dict(even) for seed in lab.seeds}
    lab.run(cells("shared", 0, closed), exam)
    log: list[list[object]] = []
    arm = "shared, round 0"
    for number in range(1, ROUNDS + 1):
        for seed in lab.seeds:
            loss = {name: lab.values(arm, name)[seed] for name in topics}
            given = allocate({name: Weakness(value, 0, 0) for name, value in loss.items()}, UNITS, "loss")
            log += [[number, seed, name, round(loss[name], 3), given[name], even[name]] for name in topics]
            closed[seed] = {name: closed[seed][name] + given[name] for name in topics}
        arm = f"{CLOSED}, round {number}"
        lab.run(cells(CLOSED, number, closed), exam)
    lab.run(
        cells(UNIFORM, ROUNDS, {seed: {name: (ROUNDS + 1) * even[name] for name in topics} for seed in lab.seeds}), exam
    )
    return _finding(lab, topics, log)


def _finding(lab: Lab, topics: list[str], log: list[list[object]]) -> Finding:
    from trainer.lab.statistics import paired, verdict

    ends = {line: f"{line}, round {ROUNDS}" for line in (CLOSED, UNIFORM)}
    means = {
        line: [mean([lab.values(end, name)[seed] for name in topics]) for seed in lab.seeds]
        for line, end in ends.items()
    }
    worst = {
        line: [max(lab.values(end, name)[seed] for name in topics) for seed in lab.seeds] for line, end in ends.items()
    }
    gap = paired(means[CLOSED], means[UNIFORM])
    weak = _correlation([float(row[3]) for row in log], [float(row[4]) for row in log])  # type: ignore[arg-type]
    reached = gap.high < 0 and weak > 0
    return Finding(
        reached,
        [verdict("the closed loop", "the even budget", "held-out", gap), f"the weakest topic: {paired(worst[CLOSED], worst[UNIFORM])}",
         f"correlation of a topic's loss with what it was given: {weak:+.2f}"],
        f"{lab.budget.seeds} paired seeds", "an even budget of the same tokens, drawn from the same shelves",
        [arms_table(lab, "Bits per byte by topic", list(ends.values()), ends[UNIFORM], topics),
         table("What weak topics were given", ["round", "seed", "topic", "loss", "units", "even"], log)],
        "" if reached else "a topic with a high loss is not one where a further text helps most: part of its loss is the text's own",
    )  # fmt: skip


def _correlation(one: list[float], other: list[float]) -> float:
    return float(np.corrcoef(one, other)[0, 1])


PROOF = Proof(
    "t12_loop", "T12: budgets that follow weakness beat even budgets",
    "held-out difference with interval at equal tokens; the log shows that weak topics got more; or the honest negative", ("edu",), prove,
)  # fmt: skip
