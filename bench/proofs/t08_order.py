"""T8: two languages, in which order? Mixed, one after the other, and one after the other with a little replay.

Each order is run at a constant rate and with decay, since late text meets a small rate under decay (Luo 2026). All orders
of a seed read the same texts; `filters/curriculum.py` puts them in order.
"""

from __future__ import annotations

import math

import numpy as np

from bench.proofs.frame import Finding, Lab, Proof, mean, plain
from bench.proofs.material import panel
from corpus.facts import table
from filters.curriculum import Curriculum, Reading, read_in_order
from trainer.lab.arms import take
from trainer.lab.cell import Exam
from trainer.lab.statistics import paired
from trainer.tokenizer import load_tokenizer

ENGLISH, CHINESE = ("edu",), ("edu-zh",)
ORDERS = {
    "mixed": Curriculum("shuffled"), "en then zh": Curriculum("blocked", ("en", "zh")),
    "zh then en": Curriculum("blocked", ("zh", "en")), "en then zh, 5 % replay": Curriculum("blocked", ("en", "zh"), 0.05),
}  # fmt: skip
SCHEDULES = {
    "constant": {"kind": "wsd", "warmup": 0.02, "decay": 0.0},
    "decay": {"kind": "wsd", "warmup": 0.02, "decay": 0.4},
}
FORGETS, SPIKE, BEFORE, AFTER = 0.1, 3.0, 20, 5  # nats a byte; standard deviations; steps


def prove(lab: Lab) -> Finding:
    """Every order under both schedules; the half-way score is taken at the switch."""
    english, chinese = plain(lab.material.train(*ENGLISH)), plain(lab.material.train(*CHINESE))
    size = lab.budget.panel_bytes
    exam = Exam({"en": panel(lab.material.held(*ENGLISH), size), "zh": panel(lab.material.held(*CHINESE), size)})
    tokenizer = lab.tokenizer(
        [text for pool in (english, chinese) for text in take(pool, 1_000_000, np.random.default_rng(0))]
    )
    student = lab.budget.student
    cells = []
    for seed in lab.seeds:
        readings = _readings(lab, {"en": english, "zh": chinese}, tokenizer, seed)
        for order, curriculum in ORDERS.items():
            texts = [
                texts_by[one.identity]
                for texts_by in [readings[1]]
                for block in read_in_order(readings[0], curriculum, seed)
                for one in block
            ]
            for name, schedule in SCHEDULES.items():
                cells.append(lab.cell(f"{order}, {name}", seed, texts, tokenizer, order="given", schedule=schedule, log_every=1,
                                      points=(student.steps // 2,)))  # fmt: skip
    lab.run(cells, exam)
    return _finding(lab)


def _readings(lab: Lab, pools: dict[str, list[str]], tokenizer, seed: int) -> tuple[list[Reading], dict[str, str]]:  # type: ignore[no-untyped-def]
    """Half of the tokens of each language, and the texts by name."""
    opened, half = load_tokenizer(tokenizer), lab.budget.student.tokens // 2
    readings: list[Reading] = []
    texts: dict[str, str] = {}
    for part, pool in pools.items():
        left = half
        for place in np.random.default_rng([seed, 8]).permutation(len(pool)):
            count = len(opened.encode(pool[place], add_special_tokens=False).ids) + 1
            name = f"{part}-{place}"
            readings.append(Reading(part, name, 0, count))
            texts[name] = pool[place]
            if (left := left - count) <= 0:
                break
    return readings, texts


def _finding(lab: Lab) -> Finding:
    sure = 0
    rows, ok, figures = [], {"mean": True, "forgets": True, "replay": True, "spikes": True}, []
    for schedule in SCHEDULES:
        means = {
            order: [
                (a + b) / 2
                for a, b in zip(
                    lab.values(f"{order}, {schedule}", "en"), lab.values(f"{order}, {schedule}", "zh"), strict=True
                )
            ]
            for order in ORDERS
        }
        for order in ORDERS:
            lost = _forgotten(lab, f"{order}, {schedule}", "zh" if order.startswith("zh") else "en")
            spike = _spike(lab, order, schedule)
            gap = paired(means[order], means["mixed"])
            rows.append([schedule, order, *(round(mean(lab.values(f"{order}, {schedule}", panel)), 3) for panel in ("en", "zh")), round(mean(means[order]), 3),
                         "control" if order == "mixed" else str(gap), round(mean(lost), 3) if order != "mixed" else "", round(mean(spike), 1) if order != "mixed" else ""])  # fmt: skip
        sequential = [order for order in ORDERS if order != "mixed"]
        gaps = [paired(means["mixed"], means[order]) for order in sequential]
        ok["mean"] &= all(gap.mean < 0 for gap in gaps)
        sure += sum(gap.high < 0 for gap in gaps)
        plain_loss, replay_loss = (
            _forgotten(lab, f"{order}, {schedule}", "en") for order in ("en then zh", "en then zh, 5 % replay")
        )
        ok["forgets"] &= mean(plain_loss) >= FORGETS
        ok["replay"] &= mean(plain_loss) > 0 and mean(replay_loss) <= mean(plain_loss) / 2
        ok["spikes"] &= min(mean(_spike(lab, order, schedule)) for order in ("en then zh", "zh then en")) >= SPIKE
        figures.append(
            f"{schedule}: after the switch English costs {mean(plain_loss):+.3f} nats a byte more, with 5 % replay {mean(replay_loss):+.3f}"
        )
    names = {
        "mean": "mixed has the best mean",
        "forgets": f"forgets ≥ {FORGETS} nats a byte",
        "replay": "5 % replay halves it",
        "spikes": f"spikes ≥ {SPIKE:.0f} σ",
    }
    figures += [f"{names[key]}: {'yes' if value else 'no'}" for key, value in ok.items()]
    figures.append(
        f"in {sure} of {len(SCHEDULES) * (len(ORDERS) - 1)} comparisons the interval of mixed against another order excludes zero"
    )
    failed = [names[key] for key, value in ok.items() if not value]
    heads = [
        "rate",
        "order",
        "en",
        "zh",
        "mean",
        "difference from mixed (95 %)",
        "forgotten (nats a byte)",
        "spike (σ)",
    ]
    return Finding(
        not failed, figures, f"{lab.budget.seeds} paired seeds, both schedules", "the mixed order, which reads the same texts",
        [table("Bits per byte after the last step", heads, rows)], f"not at this size: {', '.join(failed)}" if failed else "",
    )  # fmt: skip


def _forgotten(lab: Lab, arm: str, panel: str) -> list[float]:
    """Nats a byte that the first language costs more in the end than at the switch."""
    records = sorted((record for record in lab.records if record["arm"] == arm), key=lambda record: record["seed"])
    return [
        (record["scores"][panel]["bits"] - next(iter(record["on_the_way"].values()))[panel]["bits"]) * math.log(2)
        for record in records
    ]


def _spike(lab: Lab, order: str, schedule: str) -> list[float]:
    """The jump of the training loss at the switch in standard deviations of the mixed order's steps around there."""
    found = []
    for seed in lab.seeds:
        curves = {
            record["arm"]: [loss for _, loss in record["curve"]] for record in lab.records if record["seed"] == seed
        }
        steps, mixed = curves[f"{order}, {schedule}"], curves[f"mixed, {schedule}"]
        switch = len(steps) // 2
        noise = float(np.std(np.diff(mixed[switch - BEFORE : switch + BEFORE])) / math.sqrt(2))
        jump = max(steps[switch - 2 : switch + AFTER]) - float(np.mean(steps[switch - BEFORE : switch - 2]))
        found.append(jump / noise)
    return found


PROOF = Proof(
    "t08_order", "T8: two languages are best learned mixed, and a little replay stops most forgetting",
    f"mixed has the best mean of both languages; after the switch the first costs ≥ {FORGETS} nats a byte more; 5 % replay halves that; the training loss jumps by ≥ {SPIKE:.0f} σ at the switch; at a constant rate and with decay",
    (*ENGLISH, *CHINESE), prove,
)  # fmt: skip
