"""`lab ablate`: arms at equal tokens with paired seeds, their intervals on each panel, the null control, and a verdict.

The experiment's folder holds one committed record a cell (an arm and a seed), and the manifest and report once all are
there. Seeds are pairs: cells of one seed share the order of the data and the weights that they begin with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from corpus.errors import RecipeError
from corpus.facts import Fact, curves, number, table
from corpus.ids import digest
from corpus.local_store import LocalStore
from corpus.manifest import Balance, Manifest
from corpus.report import render_report
from corpus.shards import write_partition
from corpus.store import Store
from ray_jobs.experiment import Bench, Record, column
from ray_jobs.stage import Made, Stage, complete
from trainer.config import StudentConfig
from trainer.lab.arms import FILTERED, RANDOM, RAW, Pools, take, texts_of

if TYPE_CHECKING:
    from trainer.lab.cell import Cell
    from trainer.lab.statistics import Difference

NULL, NULL_RUNS, REPORT = "null", 12, "report.html"
CAPTION = (
    "Lower is better. Differences are means over paired seeds with 95 % t intervals; arms share order and first weights of "
    "a seed and train on the same number of tokens. Names and numbers: bits per byte on those alone, what knowledge costs."
)
MANY = "{count} comparisons: of twenty that differ in nothing, one looks as if it did."


@dataclass(frozen=True)
class Ablation:
    """What is compared. `more` adds arms by name, such as what is kept without one of the filters."""

    pools: Pools
    config: StudentConfig
    arms: Sequence[str]
    seeds: int = 3
    null_runs: int = 0
    more: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All arms, those of `more` last."""
        return (*self.arms, *self.more)

    @property
    def control(self) -> str:
        """What every arm is compared with."""
        return RAW if RAW in self.arms else self.names[0]

    def identity(self) -> dict[str, object]:
        """What the outcome depends on, for the manifest."""
        pools = [digest("pool", list(pool)) for pool in (self.pools.raw, self.pools.filtered, self.pools.synthetic)]
        more = {name: digest("pool", list(texts)) for name, texts in self.more.items()}
        return {
            "student": self.config.model_dump(mode="json", include={"model", "vocab_size", "tokens", "optimizer", "schedule"}),
            "student_identity": self.config.identity(), "arms": list(self.arms), "seeds": self.seeds,
            "null_runs": self.null_runs, "pools": pools, "more": more,
        }  # fmt: skip


def ablate(ablation: Ablation, bench: Bench, label: str = "ablation@1") -> Manifest:
    """Run what is missing, commit the manifest, write the report. The same call again costs nothing."""
    if ablation.config.distil is not None:
        raise RecipeError(
            "an ablation compares texts: its students learn from no labels", hint="leave student.distil out"
        )
    config = {**ablation.identity(), "exam": bench.exam.identity}
    stage = Stage("ablate", config, {}, lambda store: _work(ablation, bench, store))
    home = LocalStore(bench.home)
    manifest = complete(stage, home, label)
    home.replace(REPORT, render_report(f"Ablation: {label}", {"ablate": manifest}).encode())
    return manifest


def _work(ablation: Ablation, bench: Bench, store: Store) -> Made:
    tokenizer = tokenizer_of(ablation, bench.home)
    budget = budget_of(ablation, tokenizer)
    records = bench.run(_cells(ablation, bench.home, tokenizer, budget))
    facts = _facts(ablation, records, bench)
    scored = [
        {"arm": record["arm"], "seed": record["seed"], "panel": panel, "measure": measure, "value": value}
        for record in records
        for panel, found in record["scores"].items()
        for measure, value in found.items()
        if isinstance(value, float)
    ]
    return Made(
        partitions=(write_partition(store, "scores", 0, pa.Table.from_pylist(scored)),),
        balance=Balance(taken=len(records), kept=len(records)),
        facts=facts,
        totals={"students": len(records), "tokens": ablation.config.tokens},
    )


def tokenizer_of(ablation: Ablation, home: Path) -> Path:
    """One for all arms, trained on as much of each pool, so that no arm has a tokenizer made for it."""
    import numpy as np

    from trainer.tokenizer import train_tokenizer

    if ablation.config.init:
        return Path(ablation.config.init)  # the one that the weights came with
    folder = home / "tokenizer"
    if not (folder / "tokenizer.json").is_file():
        pools = [pool for pool in (ablation.pools.raw, ablation.pools.filtered, ablation.pools.synthetic) if pool]
        sizes = [sum(len(text.encode()) for text in pool) for pool in pools]
        share = min([*sizes, 4_000_000])
        texts = [text for pool in pools for text in take(pool, share, np.random.default_rng(0))]
        train_tokenizer(texts, ablation.config.vocab_size, folder)
    return folder


def budget_of(ablation: Ablation, tokenizer: Path) -> int:
    """Bytes that are surely enough for an arm's tokens, one and a tenth times what the raw pool needs."""
    from trainer.tokenizer import load_tokenizer

    sample = list(ablation.pools.raw or ablation.pools.filtered or ablation.pools.synthetic)[:400]
    tokens = sum(
        len(item.ids) for item in load_tokenizer(tokenizer).encode_batch_fast(sample, add_special_tokens=False)
    )
    return int(1.1 * ablation.config.tokens * sum(len(text.encode()) for text in sample) / max(1, tokens))


def _cells(ablation: Ablation, home: Path, tokenizer: Path, budget: int) -> Iterator[Cell]:
    from trainer.lab.cell import Cell

    def cell(arm: str, seed: int, texts: Sequence[str]) -> Cell:
        config = ablation.config.model_copy(update={"seed": seed, "track": ()})
        return Cell(arm, seed, texts, [arm] * len(texts), config, tokenizer, home / f"{_plain(arm)}-{seed}")

    for seed in range(ablation.seeds):
        for arm in ablation.arms:
            yield cell(arm, seed, texts_of(arm, ablation.pools, budget, seed))
        for arm, texts in ablation.more.items():
            yield cell(arm, seed, texts_of(FILTERED, Pools(ablation.pools.raw, texts), budget, seed))
    for run in range(ablation.null_runs):
        yield cell(NULL, 1000 + run, texts_of(RAW, ablation.pools, budget, 1000 + run))


def _plain(arm: str) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in arm).split())


def _facts(ablation: Ablation, records: Sequence[Record], bench: Bench) -> dict[str, Fact]:
    panels, asked = list(bench.exam.panels), list(bench.exam.questions)
    said = verdicts(ablation, records, panels)
    facts = {
        "arms.bits": table(f"Bits per byte: difference from {ablation.control}", ["arm", *_heads(panels)], _rows(ablation, records, panels, "bits"), caption=CAPTION),
        "arms.names": table("Names and numbers: what knowledge costs", ["arm", *_heads(panels)], _rows(ablation, records, panels, "names"), caption=CAPTION),
        "loss": curves("Training loss, first seed", "tokens", "nats per token", {record["arm"]: record["curve"] for record in records if record["seed"] == 0}),
        "arms.verdict": table("What may be said", ["verdict"], [[line] for line in said], caption=MANY.format(count=len(said))),
    }  # fmt: skip
    if asked:
        facts["arms.right"] = table("Right answers", ["arm", *_heads(asked)], _rows(ablation, records, asked, "right"))
    if ablation.null_runs:
        from trainer.lab.statistics import false_positives

        for panel in panels:
            positive, splits = false_positives(column(records, NULL, panel))
            title = f"False positives on {panel}"
            facts[f"null.{panel}"] = number(
                title, f"{positive / splits:.1%}", unit=f"of {splits:,} splits of {ablation.null_runs} equal runs"
            )
    return facts


def _heads(panels: Sequence[str]) -> list[str]:
    return [head for panel in panels for head in (panel, f"{panel}: difference (95 %)")]


def _rows(ablation: Ablation, records: Sequence[Record], panels: Sequence[str], measure: str) -> list[list[object]]:
    rows: list[list[object]] = []
    for arm in ablation.names:
        row: list[object] = [arm]
        for panel in panels:
            values = column(records, arm, panel, measure)
            row.append(round(sum(values) / len(values), 4))
            row.append(
                "control" if arm == ablation.control else str(_against(records, arm, ablation.control, panel, measure))
            )
        rows.append(row)
    return rows


def _against(records: Sequence[Record], arm: str, control: str, panel: str, measure: str = "bits") -> Difference:
    from trainer.lab.statistics import paired

    return paired(column(records, arm, panel, measure), column(records, control, panel, measure))


def verdicts(ablation: Ablation, records: Sequence[Record], panels: Sequence[str]) -> list[str]:
    """One sentence an arm and panel against the control, and for the filter's choice one against a random choice."""
    from trainer.lab.statistics import verdict

    pairs = [(arm, ablation.control) for arm in ablation.names if arm != ablation.control]
    pairs += [(FILTERED, RANDOM)] if {FILTERED, RANDOM} <= set(ablation.arms) else []
    pairs += [(arm, FILTERED) for arm in ablation.more if FILTERED in ablation.arms]
    return [
        verdict(arm, control, panel, _against(records, arm, control, panel))
        for arm, control in pairs
        for panel in panels
    ]
