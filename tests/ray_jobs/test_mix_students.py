"""A mixture search finds the part that suits the target, checks itself, and trains no proxy twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import RecipeError
from ray_jobs.mix_students import MixWanted, mix_lines
from tests.ray_jobs.test_ablation import GOOD, NOISE, sentences
from trainer.config import ModelConfig, StudentConfig

CONFIG = StudentConfig(
    vocab_size=320, model=ModelConfig(layers=1, d_model=32, heads=1, ff=64, context=32), tokens=16 * 256, batch_tokens=256
)  # fmt: skip


def write(path: Path, texts: list[str]) -> str:
    path.write_text("\n".join(json.dumps({"text": text}) for text in texts), "utf-8")
    return str(path)


def test_the_part_that_suits_the_target_gets_the_weight(tmp_path: Path) -> None:
    target = sentences(["the", "river", "turns", "under", "stone", "and", "light", "moves", "over", "water"], 12, 9)
    parts = {"good": [write(tmp_path / "good.jsonl", GOOD)], "noise": [write(tmp_path / "noise.jsonl", NOISE)]}
    wanted = MixWanted(parts, [write(tmp_path / "target.jsonl", target)], CONFIG, 8, 3, tmp_path / "out", 0)
    said: list[str] = []
    lines = mix_lines(wanted, said.append)
    natural, drawn, proposed = (float(line.split("bits")[0].split()[-1]) for line in lines[:3])
    assert min(drawn, proposed) < natural
    assert float(lines[2].split("good ")[1].split("%")[0]) > 60
    trained = len(said)
    assert trained == 8 + 3 + 2
    assert mix_lines(wanted, said.append) == lines
    assert len(said) == trained


def test_a_target_that_stands_in_a_part_is_refused(tmp_path: Path) -> None:
    parts = {"good": [write(tmp_path / "good.jsonl", GOOD)], "noise": [write(tmp_path / "noise.jsonl", NOISE)]}
    with pytest.raises(RecipeError, match="3 texts of the target are in a part too"):
        mix_lines(MixWanted(parts, [write(tmp_path / "t.jsonl", GOOD[:3])], CONFIG, 8, 3, tmp_path / "out", 0), print)
