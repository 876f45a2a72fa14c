from __future__ import annotations

import random
from pathlib import Path

import pytest

from trainer.config import ModelConfig, StudentConfig
from trainer.packing import TokenShards, pack
from trainer.tokenizer import train_tokenizer

WORDS = [
    "the",
    "a",
    "river",
    "stone",
    "light",
    "water",
    "engine",
    "letter",
    "turns",
    "holds",
    "moves",
    "grows",
    "small",
    "great",
    "under",
    "over",
    "and",
    "of",
    "to",
    "with",
]


def texts(count: int) -> list[str]:
    draw = random.Random(5)
    return [" ".join(draw.choices(WORDS, k=40)).capitalize() + "." for _ in range(count)]


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_tokenizer(texts(50), 320, tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="session")
def shards(tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> TokenShards:
    return pack(texts(60), tokenizer, tmp_path_factory.mktemp("pack") / "p")


@pytest.fixture
def config() -> StudentConfig:
    return StudentConfig(
        vocab_size=320,
        model=ModelConfig(layers=2, d_model=64, heads=2, ff=96, context=32),
        tokens=12 * 128,
        batch_tokens=128,
        checkpoint_every=3,
        log_every=1,
    )
