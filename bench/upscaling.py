"""A student that begins as a smaller one against one from new weights: `python -m bench.upscaling --data FILES --out FOLDER`.

A small student is trained, then tiled to twice the width and twice the layers; both larger students train on the same
windows in the same order, with the same rates, seed by seed. Prints JSON: the source's and the tiled model's held-out bits
per byte before any step, and the training losses of both at every logged step. Work is kept in FOLDER.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench.student_arms import paired, scored, summary, texts_of
from trainer.config import ModelConfig, StudentConfig
from trainer.evaluate import bits_per_byte
from trainer.packing import pack
from trainer.tokenizer import train_tokenizer
from trainer.train import train
from trainer.upscale import upscale

SMALL = ModelConfig(layers=2, d_model=64, heads=2, ff=192)
LARGE = ModelConfig(layers=4, d_model=128, heads=4, ff=384)
SHARED = {"vocab_size": 2048, "compile": "off", "track": (), "dtype": "auto", "log_every": 4}
SOURCE = StudentConfig(model=SMALL, tokens=400_000, **SHARED)  # type: ignore[arg-type]


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--data", nargs="*", default=[])
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--tokens", type=int, default=131_072)
    options.add_argument("--seeds", type=int, default=3)
    chosen = options.parse_args()
    texts, held = texts_of(chosen.data, 3.0)
    tokenizer = chosen.out / "tokenizer"
    if not (tokenizer / "tokenizer.json").is_file():
        train_tokenizer(texts, 2048, tokenizer)
    shards = pack(texts, tokenizer, chosen.out / "packed")
    before = scored(chosen.out / "source", lambda: train(SOURCE, shards.folder, tokenizer, chosen.out / "source"), held)
    scores: dict[str, list[float]] = {"tiled": [], "new": []}
    curves, first = {}, []
    for seed in range(chosen.seeds):
        tiled = chosen.out / f"tiled{seed}"
        if not tiled.is_dir():
            upscale(chosen.out / "source" / "model", tiled, width=2, depth=2, seed=seed)
        first.append(bits_per_byte(tiled, held).mean)
        for arm, init in (("tiled", str(tiled)), ("new", "")):
            # The order of the data must not be that of the source's own training.
            config = StudentConfig(model=LARGE, tokens=chosen.tokens, seed=100 + seed, init=init, **SHARED)  # type: ignore[arg-type]
            folder = chosen.out / f"{arm}-seed{seed}"
            found = scored(folder, lambda c=config, f=folder: train(c, shards.folder, tokenizer, f), held)  # type: ignore[misc]
            scores[arm].append(found["bits_per_byte"])
            curves[f"{arm} {seed}"] = [round(loss, 3) for _, loss in found["curve"]]
            print(f"seed {seed}  {arm:<6} {found['bits_per_byte']:.4f}  {found['seconds']:.0f} s", file=sys.stderr)
    below = [
        all(a < b for a, b in zip(curves[f"tiled {n}"], curves[f"new {n}"], strict=True)) for n in range(chosen.seeds)
    ]
    print(json.dumps({
        "source": before["bits_per_byte"], "tiled_before_a_step": first,
        "largest_relative_difference": max(abs(value / before["bits_per_byte"] - 1) for value in first),
        "below_new_weights_at_every_logged_step": below, "held_out": summary(scores),
        "new_minus_tiled": paired(scores["new"], scores["tiled"]), "training_loss": curves,
    }, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
