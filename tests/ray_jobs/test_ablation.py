"""An ablation trains each cell once, refuses cells of another experiment, and reports arms, intervals and controls."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import StateError
from ray_jobs.ablation import Ablation, ablate
from ray_jobs.experiment import Bench, column
from ray_jobs.passes import InProcess
from trainer.config import ModelConfig, StudentConfig
from trainer.evaluation.panels import Panel
from trainer.lab.arms import FILTERED, RANDOM, RAW, Pools
from trainer.lab.cell import Cell, Exam, run_cell

CONFIG = StudentConfig(
    vocab_size=320, model=ModelConfig(layers=1, d_model=32, heads=1, ff=64, context=32), tokens=30 * 256, batch_tokens=256
)  # fmt: skip


def sentences(words: list[str], count: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(words, k=30)) + "." for _ in range(count)]


GOOD = sentences(["the", "river", "turns", "under", "stone", "and", "light", "moves", "over", "water"], 120, 1)
NOISE = sentences([f"x{i:03}q" for i in range(400)], 240, 2)
EXAM = Exam({"curated-like": Panel(sentences(["the", "river", "turns", "under", "stone", "and", "light", "moves", "over", "water"], 10, 3), {}),
             "raw-web": Panel(sentences([f"x{i:03}q" for i in range(400)], 10, 4), {})})  # fmt: skip


def test_the_filters_choice_beats_a_random_one_where_it_is_better_and_the_report_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    bench = Bench(tmp_path, InProcess(), EXAM, said.append)
    ablation = Ablation(Pools(NOISE + GOOD, GOOD), CONFIG, (RAW, RANDOM, FILTERED), seeds=3, null_runs=6)
    manifest = ablate(ablation, bench)
    assert manifest.balance.kept == 3 * 3 + 6
    verdicts = [row[0] for row in manifest.facts["arms.verdict"]["rows"]]
    assert any(line.startswith("on curated-like text: filtered is better than random") for line in verdicts)
    assert any(line.startswith("on raw-web text: filtered is worse than raw") for line in verdicts)
    assert manifest.facts["null.raw-web"]["unit"] == "of 10 splits of 6 equal runs"
    assert "filtered is better than random" in (tmp_path / "report.html").read_text("utf-8")
    assert len(said) == 15
    ablate(ablation, bench)
    assert len(said) == 15  # nothing was trained again


def cell(folder: Path, **change: object) -> Cell:
    from trainer.tokenizer import train_tokenizer

    tokenizer = train_tokenizer(GOOD, 320, folder / "tokenizer")
    made = Cell("raw", 0, GOOD, ["raw"] * len(GOOD), CONFIG, tokenizer, folder / "raw-0")
    return replace(made, **change)  # type: ignore[arg-type]


def test_a_cell_of_other_texts_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path, InProcess(), EXAM, lambda line: None)
    first = cell(tmp_path)
    assert bench.run([first]) == bench.run([first])
    with pytest.raises(StateError, match=r"cells/raw-0\.json"):
        bench.run([replace(first, texts=NOISE)])


def test_scores_on_the_way_leave_the_end_as_it_was(tmp_path: Path) -> None:
    plain = run_cell(cell(tmp_path / "a"), EXAM)
    looked = run_cell(cell(tmp_path / "b", points=(10, 20)), EXAM)
    assert looked["scores"] == plain["scores"]
    way = [looked["on_the_way"][point]["curated-like"]["bits"] for point in ("10", "20")]
    assert way[0] > way[1] > looked["scores"]["curated-like"]["bits"]
    assert json.loads(json.dumps(looked)) is not None
    assert not (tmp_path / "b" / "raw-0").exists()  # nothing is left lying about
    assert column([plain | {"arm": "raw"}], "raw", "raw-web") == [plain["scores"]["raw-web"]["bits"]]
