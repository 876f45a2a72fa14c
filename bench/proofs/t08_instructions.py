"""T8, instructions: a fifth of an instruction set chosen by entropy against a random fifth of as many reply tokens.

The instructions ask to explain the title of a text, and its first words are the reply: a real set of very uneven worth,
since many titles say nothing about the part that answers. What is chosen is what `hornbook student sft` would choose.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.proofs.frame import Finding, Lab, Proof, plain
from bench.proofs.material import Text, panel
from corpus.facts import table
from trainer.config import StudentConfig
from trainer.files import write_whole
from trainer.instructions import Example, asking, middle, pack_examples, reply_nats
from trainer.lab.arms import take
from trainer.lab.cell import Exam
from trainer.lab.statistics import paired, verdict
from trainer.tokenizer import load_tokenizer
from trainer.train import train

KINDS, BASE, SHARE, WORDS = ("edu", "wiki"), ("web", "web-raw"), 0.2, 60
CHOSEN, RANDOM = "chosen by entropy", "random"


def prove(lab: Lab) -> Finding:
    """A base student a seed, then two tuned ones of it; the score is bits per byte of held-out replies."""
    pool, held = ([_example(text) for text in lab.material.train(*KINDS) if text.title][: int(lab.budget.options["pool"])],
                  [_example(text) for text in lab.material.held(*KINDS) if text.title][: int(lab.budget.options["held"])])  # fmt: skip
    web = plain(lab.material.train(*BASE))
    tokenizer = lab.tokenizer(
        [*take(web, 1_500_000, np.random.default_rng(0)), *(item.question + item.reply for item in pool[:500])]
    )
    bases = [
        lab.cell(
            "base",
            seed,
            take(web, lab.budget.student.tokens * 6, np.random.default_rng([seed, 8])),
            tokenizer,
            keep=True,
        )
        for seed in lab.seeds
    ]
    lab.run(bases, Exam({"raw-web": panel(lab.material.held(*BASE), lab.budget.panel_bytes)}))
    scores: dict[str, list[float]] = {CHOSEN: [], RANDOM: [], "base": []}
    for seed, base in zip(lab.seeds, bases, strict=True):
        model = base.folder / "model"
        for arm, score in _tuned(lab, seed, model, tokenizer, pool, held).items():
            scores[arm].append(score)
    gap = paired(scores[CHOSEN], scores[RANDOM])
    rows = [
        [arm, round(float(np.mean(values)), 4), "control" if arm == RANDOM else str(paired(values, scores[RANDOM]))]
        for arm, values in scores.items()
    ]
    return Finding(
        gap.mean <= 0,
        [verdict("the fifth chosen by entropy", "a random fifth", "held-out reply", gap)],
        f"{lab.budget.seeds} paired seeds", "a random fifth with as many reply tokens",
        [table(f"Bits per byte of {len(held)} held-out replies, after a fifth of {len(pool):,} instructions", ["student", "bits", "difference (95 %)"], rows)],
        "" if gap.mean <= 0 else "the middle of the loss is no better than a draw for this set",
    )  # fmt: skip


def _example(text: Text) -> Example:
    return Example(asking([{"role": "user", "content": f"Explain: {text.title}"}]), " ".join(text.text.split()[:WORDS]))


def _tuned(
    lab: Lab, seed: int, model: Path, tokenizer: Path, pool: Sequence[Example], held: Sequence[Example]
) -> dict[str, float]:
    """Scores of one seed, kept in a file once they are there."""
    kept = lab.home / f"instructions-{seed}.json"
    if kept.is_file():
        return json.loads(kept.read_text("utf-8"))
    chosen = middle(reply_nats(model, pool), SHARE).tolist()
    drawn = _as_long(pool, chosen, tokenizer, np.random.default_rng([seed, 9]))
    found = {"base": _bits(model, tokenizer, held)}
    for arm, places in ((CHOSEN, chosen), (RANDOM, drawn)):
        home = lab.home / f"{arm.replace(' ', '-')}-{seed}"
        shards = pack_examples([pool[place] for place in places], tokenizer, home / "packed")
        values = {**lab.budget.student.model_dump(), "init": str(model), "seed": seed, "track": (), "packing": "documents",
                  "tokens": round(lab.budget.options["epochs"] * shards.pack["tokens"]), "schedule": {"kind": "cosine", "warmup": 0.05},
                  "optimizer": {"kind": "adamw", "adamw_lr": lab.budget.options["rate"]}}  # fmt: skip
        found[arm] = _bits(
            train(StudentConfig.model_validate(values), shards.folder, tokenizer, home).model, tokenizer, held
        )
        lab.say(f"{arm}, seed {seed}: {found[arm]:.4f} bits per byte of held-out replies")
    write_whole(kept, json.dumps(found).encode())
    return found


def _as_long(pool: Sequence[Example], chosen: Sequence[int], tokenizer: Path, draw: np.random.Generator) -> list[int]:
    """A draw with as many reply tokens as the choice."""
    reader = load_tokenizer(tokenizer)
    sizes = [len(reader.encode(item.reply, add_special_tokens=False).ids) for item in pool]
    left, places = sum(sizes[place] for place in chosen), []
    for place in draw.permutation(len(pool)):
        if left <= 0:
            break
        places.append(int(place))
        left -= sizes[place]
    return places


def _bits(model: Path, tokenizer: Path, held: Sequence[Example]) -> float:
    """Bits per byte of all replies together."""
    reader = load_tokenizer(tokenizer)
    counts = [len(reader.encode(item.reply, add_special_tokens=False).ids) + 1 for item in held]
    nats = float((reply_nats(model, held) * np.array(counts)).sum())
    return nats / math.log(2) / sum(len(item.reply.encode()) for item in held)


PROOF = Proof(
    "t08_instructions", "T8: instructions chosen by entropy are worth as much as a random set of the same size, or more",
    "bits per byte of held-out replies after the chosen fifth at most those after a random fifth of as many tokens", (*KINDS, *BASE), prove,
)  # fmt: skip
