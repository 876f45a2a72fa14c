"""Soft labels of the embedded teacher against hard labels: `python -m bench.distillation --data FILES --out FOLDER`.

Equal steps, order of the data and first weights, seed by seed; a few epochs over little text, which is where labels pay.
The teacher (SmolLM2-135M-Instruct, in this process) labels the training text once: its likeliest tokens, and tokens drawn
from its whole distribution. The untrained teacher is a small random model of the same vocabulary. With `--generated RUN`
the text is what a run's teacher wrote (`teacher.top_logprobs`), and the labels of the generating pass, which saw the
prompt, stand against those of the same teacher without it. Each piece of work is kept in FOLDER. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from bench.student_arms import paired, scored, summary, texts_of
from corpus.ids import digest
from corpus.manifest import load_manifest, table_of, tables_of
from corpus.soft_labels import KIND, SOFT_LABELS, Labelled, labels_table, text_hash
from corpus.store import open_store
from generator.given_text import label_text, load_tokenizer
from generator.local import SERVED_NAME, ensure_embedded_teacher
from generator.local_labels import LocalDraws, LocalScorer
from ray_jobs.cluster import cache_folder
from trainer.config import StudentConfig
from trainer.distil_config import DistilConfig
from trainer.fit import LABELS, fit
from trainer.loss import StudentLoss
from trainer.model import build
from trainer.optimizers import optimizers_for
from trainer.packing import open_shards
from trainer.step import Stepper
from trainer.taught import teach, trim_for
from trainer.team import Team

TOP, DRAWS = 33, 50
CONFIG = StudentConfig(vocab_size=8192, tokens=98_304, compile="off", track=(), tokenizer="teacher-trimmed",
                       log_every=8, packing="documents")  # fmt: skip
HARD = "hard labels"
Arm = tuple[DistilConfig | None, str]


def given_arms(folder: Path) -> dict[str, Arm]:
    """Arms over text that the teacher did not write, each with the file of its labels."""
    top, drawn = str(folder / "top.parquet"), str(folder / "drawn.parquet")
    return {
        HARD: (None, top),
        "top 8, renormalised": (DistilConfig(targets="topk", entries=8), top),
        "top 32, renormalised": (DistilConfig(targets="topk", entries=32), top),
        "top 32 and a tail": (DistilConfig(targets="tail", entries=32), top),
        "50 drawn": (DistilConfig(targets="sampled"), drawn),
        "untrained teacher": (DistilConfig(targets="full", teacher="untrained"), ""),
    }


def written_arms(folder: Path) -> dict[str, Arm]:
    """Arms over what the teacher wrote: labels of the generating pass, and of the same teacher without the prompt."""
    generating, without = str(folder / "generating.parquet"), str(folder / "top.parquet")
    return {
        HARD: (None, generating),
        "generating pass, unbiased": (DistilConfig(targets="unbiased"), generating),
        "generating pass, top 8 renormalised": (DistilConfig(targets="topk", entries=8), generating),
        "generating pass, top 19 and a tail": (DistilConfig(targets="tail", entries=19), generating),
        "without the prompt, top 19 and a tail": (DistilConfig(targets="tail", entries=19), without),
    }


def label(texts: list[str], teacher: Path, scorer: type[LocalScorer], k: int, out: Path) -> None:
    """Label texts by the teacher in this process, unless that was done."""
    if out.is_file():
        return
    tokenizer, start, name = load_tokenizer(teacher)
    reads, begun, rows = scorer(teacher, SERVED_NAME), time.process_time(), []
    for text in texts:
        if (found := label_text(text, tokenizer, start, reads, k)) is not None:
            rows.append(Labelled(digest(text), text_hash(text), "", 0, found, f"{reads.name}@given-text", name))
    pq.write_table(labels_table(rows), out.with_suffix(".part"))
    out.with_suffix(".part").replace(out)
    tokens = sum(len(row.labels) for row in rows)
    print(f"{out.name}: {tokens} tokens, {time.process_time() - begun:.0f} CPU s", file=sys.stderr)


def untrained(teacher: Path, out: Path) -> Path:
    """A random model of the teacher's vocabulary."""
    if not (out / "config.json").is_file():
        from transformers import AutoConfig, LlamaConfig, LlamaForCausalLM

        torch.manual_seed(0)
        size = AutoConfig.from_pretrained(teacher).vocab_size
        LlamaForCausalLM(LlamaConfig(vocab_size=size, hidden_size=64, intermediate_size=64, num_hidden_layers=1,
                                     num_attention_heads=2)).save_pretrained(out)  # fmt: skip
    return out


def written(run: Path, out: Path) -> list[str]:
    """The texts of a run's teacher that have labels; the labels go into `out`."""
    store = open_store(str(run / "generate"))
    manifest = load_manifest(store)
    assert manifest is not None
    pq.write_table(pa.concat_tables(table.select(SOFT_LABELS.names) for table in tables_of(store, manifest, KIND)), out)
    held = set(pq.read_table(out, columns=["text_hash"])["text_hash"].to_pylist())
    texts = table_of(store, manifest, "documents")["text"].to_pylist()
    return sorted(
        (text for text in dict.fromkeys(texts) if text_hash(text) in held), key=lambda text: digest("order", text)
    )


def overhead(arms: dict[str, Arm], texts: list[str], tokenizer: Path, out: Path) -> dict[str, float]:
    """CPU seconds of a step of each arm over those of hard labels; interleaved, the best of four rounds."""
    clocks: dict[str, Callable[[], float]] = {}
    for number, (arm, (distil, file)) in enumerate(arms.items()):
        if distil is None or distil.targets != "full":
            clocks[arm] = _clock(distil, file, texts, tokenizer, out / f"arm{number}-seed0")
    best = {arm: min(seconds) for arm, seconds in _rounds(clocks).items()}
    return {arm: round(seconds / best[HARD] - 1, 4) for arm, seconds in best.items()}


def _rounds(clocks: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {arm: [] for arm in clocks}
    for _ in range(4):
        for arm, clock in clocks.items():
            seconds[arm].append(clock())
    return seconds


def _clock(
    distil: DistilConfig | None, file: str, texts: list[str], tokenizer: Path, folder: Path
) -> Callable[[], float]:
    config, corpus, device = (
        CONFIG.model_copy(update={"distil": distil}),
        open_shards(folder / "packed"),
        torch.device("cpu"),
    )
    model = build(config, corpus.pack["vocab_size"], corpus.pack["eos"])
    lesson = (
        teach(config, corpus, tokenizer, texts, [Path(file)], folder / LABELS).make(model, device) if distil else None
    )
    optimizers = optimizers_for(model, config.optimizer, "bfloat16")
    stepper, steps = (
        Stepper(config, corpus, StudentLoss(model, "bfloat16"), optimizers, Team(), device, lesson),
        iter(range(10_000)),
    )
    stepper.step(next(steps))

    def clock() -> float:
        begun = time.process_time()
        for _ in range(4):
            stepper.step(next(steps))
        return time.process_time() - begun

    return clock


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--data", nargs="*", default=[])
    options.add_argument("--generated", type=Path, help="Folder NAME@VERSION of a run with soft labels.")
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--train-kilobytes", type=float, default=70)
    options.add_argument("--held-kilobytes", type=float, default=110)
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    teacher = ensure_embedded_teacher(cache_folder())
    if chosen.generated:
        every = written(chosen.generated, chosen.out / "generating.parquet")
        cut = len(every) // 3
        texts, held, arms = every[cut:], every[:cut], written_arms(chosen.out)
        label(texts, teacher, LocalScorer, 20, chosen.out / "top.parquet")
    else:
        texts, held = texts_of(chosen.data, 3.0)
        texts, held, arms = (
            _some(texts, chosen.train_kilobytes),
            _some(held, chosen.held_kilobytes),
            given_arms(chosen.out),
        )
        label(texts, teacher, LocalScorer, TOP, chosen.out / "top.parquet")
        label(texts, teacher, LocalDraws, DRAWS, chosen.out / "drawn.parquet")
    files = [Path(file) for file in dict.fromkeys(file for _, file in arms.values()) if file]
    tokenizer = trim_for(
        teacher, texts, files, 12_288 if chosen.generated else CONFIG.vocab_size, chosen.out / "tokenizer"
    )
    print(
        json.dumps(
            _compare(arms, texts, held, tokenizer, untrained(teacher, chosen.out / "untrained"), chosen), indent=2
        )
    )


def _compare(
    arms: dict[str, Arm], texts: list[str], held: list[str], tokenizer: Path, nobody: Path, chosen: Any
) -> dict[str, Any]:
    scores: dict[str, list[float]] = {arm: [] for arm in arms}
    for seed in range(chosen.seeds):
        for number, (arm, (distil, file)) in enumerate(arms.items()):
            # Hard labels learn from the same tokens: the text as the labels' tokens, with none of the divergence.
            config = CONFIG.model_copy(
                update={"distil": distil or DistilConfig(targets="tail", alpha=0.0), "seed": seed}
            )
            folder = chosen.out / f"arm{number}-seed{seed}"
            found = scored(folder, lambda c=config, f=folder, given=file: fit(  # type: ignore[misc]
                c, texts, tokenizer, f, labels=[Path(given)] if given else [], teacher=nobody), held)  # fmt: skip
            scores[arm].append(found["bits_per_byte"])
            print(f"seed {seed}  {arm:<40} {found['bits_per_byte']:.4f}  {found['seconds']:.0f} s", file=sys.stderr)
    corpus = open_shards(chosen.out / "arm0-seed0" / "packed")
    tokens = sum(len(item.ids) for item in _encoded(held, tokenizer))
    return {
        "training_tokens": corpus.pack["tokens"], "epochs": round(CONFIG.tokens / corpus.pack["tokens"], 1), "held_out_tokens": tokens,
        "vocabulary": corpus.pack["vocab_size"], "arms": summary(scores),
        "hard_minus_arm": {arm: paired(scores[HARD], values) for arm, values in scores.items() if arm != HARD},
        "step_overhead": overhead(arms, texts, tokenizer, chosen.out),
    } | ({"top8_minus_drawn": paired(scores["top 8, renormalised"], scores["50 drawn"])} if not chosen.generated else {
        "top8_minus_unbiased": paired(scores["generating pass, top 8 renormalised"], scores["generating pass, unbiased"]),
        "without_minus_with_the_prompt": paired(scores["without the prompt, top 19 and a tail"], scores["generating pass, top 19 and a tail"])})  # fmt: skip


def _encoded(texts: list[str], tokenizer: Path) -> Any:
    from trainer.tokenizer import load_tokenizer as load

    return load(tokenizer).encode_batch_fast(texts, add_special_tokens=False)


def _some(texts: list[str], kilobytes: float) -> list[str]:
    """The first texts, short ones only so that many sources are in little text, up to a size."""
    found, size = [], 0
    for text in texts:
        if size < kilobytes * 1000 and len(text) < 4000:
            found.append(text)
            size += len(text.encode())
    return found


if __name__ == "__main__":
    main()
