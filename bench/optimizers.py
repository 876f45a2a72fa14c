"""Muon with AdamW against AdamW alone at three rates: `python -m bench.optimizers --data FILES --out FOLDER`.

The same model, tokens, order of the data and first weights, seed by seed. Each run is kept in FOLDER, so the command can
be stopped and goes on. Prints JSON: held-out bits per byte of each arm, and best AdamW − Muon, paired by seed. The best
rate is chosen after the fact, which favours AdamW.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench.student_arms import paired, scored, summary, texts_of
from trainer.config import OptimizerConfig, StudentConfig
from trainer.packing import pack
from trainer.tokenizer import train_tokenizer
from trainer.train import train

ARMS = {
    "muon 2e-2 + adamw 3e-3": OptimizerConfig(kind="muon", muon_lr=0.02, adamw_lr=3e-3),
    **{f"adamw {rate:.0e}": OptimizerConfig(kind="adamw", adamw_lr=rate) for rate in (1e-3, 3e-3, 8e-3)},
}
MUON = next(iter(ARMS))


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--data", nargs="*", default=[])
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--tokens", type=int, default=102_400)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--megabytes", type=float, default=3.0)
    chosen = options.parse_args()
    texts, held = texts_of(chosen.data, chosen.megabytes)
    tokenizer = chosen.out / "tokenizer"
    if not (tokenizer / "tokenizer.json").is_file():
        train_tokenizer(texts, 4096, tokenizer)
    shards = pack(texts, tokenizer, chosen.out / "packed")
    scores: dict[str, list[float]] = {arm: [] for arm in ARMS}
    for seed in range(chosen.seeds):
        for number, (arm, optimizer) in enumerate(ARMS.items()):
            config = StudentConfig(tokens=chosen.tokens, seed=seed, optimizer=optimizer, compile="off", track=())
            folder = chosen.out / f"arm{number}-seed{seed}"
            found = scored(folder, lambda c=config, f=folder: train(c, shards.folder, tokenizer, f), held)  # type: ignore[misc]
            scores[arm].append(found["bits_per_byte"])
            print(f"seed {seed}  {arm:<24} {found['bits_per_byte']:.4f}  {found['seconds']:.0f} s", file=sys.stderr)
    best = min((arm for arm in ARMS if arm != MUON), key=lambda arm: sum(scores[arm]))
    print(json.dumps({"tokens": chosen.tokens, "held_out_documents": len(held), "arms": summary(scores), "best_adamw": best,
                      "best_adamw_minus_muon": paired(scores[best], scores[MUON])}, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
