"""A little training after compression: what was pruned, factorised or shared learns to do without what it lost."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from corpus.errors import RecipeError
from trainer import files
from trainer.compression.constrained import FACTS, STORED
from trainer.compression.routes import compress
from trainer.config import ModelConfig, OptimizerConfig, StudentConfig
from trainer.fit import fit
from trainer.model import load_model

# What is nearly right is not to be thrown about: a quarter and a third of the rates that train from nothing.
GENTLE = OptimizerConfig(muon_lr=0.005, adamw_lr=1e-3)
HEALED = ("prune-", "low-rank", "share-layers")
STEPS, MOST = 50, 16_384  # at least so many steps, of at most so many tokens


def heal(folder: Path, route: str, texts: Sequence[str], tokens: int) -> list[tuple[float, float]]:
    """Train the compressed student in `folder` under its own constraint, in its place; nats a token by tokens read.

    Killed, the same call goes on. Raises `RecipeError` for weights of few bits, which cannot be trained.
    """
    if not route.startswith(HEALED):
        raise RecipeError(f"{route} cannot be trained on", hint="heal first, then quantise what came of it")
    work = folder.with_name(f"{folder.name}.healing")
    config = healing(folder, load_model(folder).config.max_position_embeddings, tokens)
    done = fit(config, texts, folder, work)
    facts = (folder / FACTS).read_bytes()
    if (done.model / STORED).is_file():
        with files.whole_folder(folder, replace=True) as staged:
            shutil.copytree(done.model, staged, dirs_exist_ok=True)
    else:
        compress(done.model, "bf16", folder)
        files.write_whole(folder / FACTS, facts)
    shutil.rmtree(work)
    return done.curve


def healing(folder: Path, positions: int, tokens: int) -> StudentConfig:
    """How a student of so many positions is healed."""
    context = min(1024, positions)
    batch = context * max(1, min(MOST // context, tokens // context // STEPS))
    return StudentConfig(
        init=str(folder), model=ModelConfig(context=context), tokens=tokens, batch_tokens=batch, optimizer=GENTLE,
        compile="off", track=(), log_every=1,
    )  # fmt: skip
