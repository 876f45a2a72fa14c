from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from generator.jail import Jail
from tests.trainer.conftest import texts
from trainer.config import ModelConfig, StudentConfig
from trainer.evaluation.student import Student, open_student
from trainer.packing import pack
from trainer.tokenizer import train_tokenizer
from trainer.train import train


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student that has read sentences of a few words, many times."""
    home = tmp_path_factory.mktemp("student")
    tokenizer = train_tokenizer(texts(50), 320, home / "tokenizer")
    config = StudentConfig(
        vocab_size=320, model=ModelConfig(layers=2, d_model=64, heads=2, ff=96, context=64), tokens=40 * 256, batch_tokens=256
    )  # fmt: skip
    return train(config, pack(texts(60), tokenizer, home / "packed").folder, tokenizer, home / "out").model


@pytest.fixture(scope="session")
def student(model: Path) -> Student:
    return open_student(model)


@pytest.fixture(scope="session")
def jail() -> Iterator[Jail]:
    with Jail(parallel=1) as opened:
        yield opened
