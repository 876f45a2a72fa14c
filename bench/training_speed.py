"""A training step against Hugging Face's `Trainer`: `python -m bench.training_speed`.

The same Llama, the same windows, AdamW on both sides, one process, one core. Each round trains `--steps` steps by each
in turn: Trainer eager in bfloat16, ours eager, ours compiled (its first steps, which compile, are left out). Prints JSON:
tokens a CPU second of each, best and median of the rounds, ratios to Trainer, and the share of the processor's peak in the
matrix product, which is measured in every round, the best of them taken. The same share is told for wider models, each
compiled alone. What telling the loss by source and language adds to a step is timed by itself: it is smaller than the
difference of two rounds. The text is pydoc's own (it is on every
machine), tokenised with a tokenizer trained on it. Pin it to a core: `taskset -c 0 python -m bench.training_speed`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from trainer.attention import suit_attention
from trainer.batches import Stream, gather
from trainer.breakdown import Codes
from trainer.config import PRESETS, ModelConfig, OptimizerConfig, StudentConfig
from trainer.loss import StudentLoss
from trainer.model import build
from trainer.optimizers import optimizers_for
from trainer.packing import TokenShards, pack
from trainer.speed import flops_per_token, gemm_peak
from trainer.step import Stepper
from trainer.team import Team
from trainer.tokenizer import train_tokenizer

TIMES = 200


def config_of(preset: str) -> StudentConfig:
    """The preset's shape, 4096 tokens a step, AdamW."""
    changes = {
        "batch_tokens": 4096,
        "micro_batch_tokens": None,
        "optimizer": OptimizerConfig(kind="adamw", adamw_lr=1e-3),
    }
    return PRESETS[preset].model_copy(update=changes)


def wider(config: StudentConfig, width: int) -> StudentConfig:
    """The same with this width: heads of 64, feed-forward in proportion."""
    shape = {"d_model": width, "heads": width // 64, "kv_heads": None, "ff": round(2.75 * width / 32) * 32}
    return config.model_copy(update={"model": ModelConfig.model_validate(config.model.model_dump() | shape)})


class Windows(Dataset):
    """The windows that ours reads, in the same order."""

    def __init__(self, config: StudentConfig, shards: TokenShards, steps: int) -> None:
        plan = Stream(shards.pack["tokens"], config.model.context)
        batches = (gather(shards, plan.places(0, step, config.windows), masked=False) for step in range(steps))
        # One token more than ours: Trainer's loss shifts labels by itself and drops the last place of each window.
        self._rows = [
            torch.cat([torch.from_numpy(batch.inputs[row]), torch.from_numpy(batch.targets[row, -1:])])
            for batch in batches for row in range(config.windows)
        ]  # fmt: skip

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self._rows[index], "labels": self._rows[index]}


def trainer_round(
    config: StudentConfig, shards: TokenShards, vocabulary: int, dtype: str, folder: Path, steps: int
) -> Callable[[], float]:
    """CPU seconds of one step by `transformers.Trainer`; the first steps of a call are not counted."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    model = build(config, vocabulary, shards.pack["eos"])
    warm = 2
    data = Windows(config, shards, steps + warm)

    class Clock(TrainerCallback):
        marks: list[float]

        def on_step_end(self, *_: Any, **__: Any) -> None:
            self.marks.append(time.process_time())

    def run() -> float:
        clock = Clock()
        clock.marks = []
        arguments = TrainingArguments(
            output_dir=str(folder), per_device_train_batch_size=config.windows, max_steps=steps + warm, learning_rate=1e-3,
            bf16=dtype == "bfloat16", use_cpu=True, report_to=[], save_strategy="no", logging_strategy="no",
            disable_tqdm=True, lr_scheduler_type="constant", weight_decay=0.1, adam_beta2=0.95,
        )  # fmt: skip
        with contextlib.redirect_stdout(sys.stderr):  # it prints its figures, and ours alone are JSON
            Trainer(model=model, args=arguments, train_dataset=data, callbacks=[clock]).train()
        return (clock.marks[-1] - clock.marks[warm - 1]) / steps

    return run


def our_round(
    config: StudentConfig, shards: TokenShards, vocabulary: int, dtype: str, compiled: bool, steps: int
) -> Callable[[], float]:
    """CPU seconds of one step of ours."""
    model = build(config, vocabulary, shards.pack["eos"])
    suit_attention(model, config.model.context, torch.device("cpu"))
    loss = StudentLoss(model, dtype, compiled=compiled)
    optimizers = optimizers_for(model, config.optimizer, dtype)  # type: ignore[arg-type]
    stepper = Stepper(config, shards, loss, optimizers, Team(), torch.device("cpu"))
    numbers: Iterator[int] = iter(range(1 << 30))
    for _ in range(3):
        stepper.step(next(numbers))

    def run() -> float:
        stepper.step(next(numbers))
        begun = time.process_time()
        for _ in range(steps):
            stepper.step(next(numbers))
        return (time.process_time() - begun) / steps

    return run


def peaks(width: int, dtype: str) -> Callable[[], float]:
    """The best of the processor's peaks that were measured so far; each call measures again."""
    found = [0.0]

    def again() -> float:
        gemm_peak.cache_clear()
        found.append(gemm_peak(width, dtype, "cpu"))
        return max(found)

    return again


def text() -> list[str]:
    """Documentation of the language, of some 500 kB."""
    from pydoc_data.topics import topics

    return list(topics.values())


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=4)
    options.add_argument("--steps", type=int, default=6)
    options.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    options.add_argument("--no-compile", action="store_true")
    options.add_argument("--preset", default="tiny", choices=sorted(PRESETS))
    options.add_argument("--widths", type=int, nargs="*", default=[256, 512, 768])
    chosen = options.parse_args()
    config = config_of(chosen.preset)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tokenizer = train_tokenizer(text(), config.vocab_size, folder / "tokenizer")
        shards = pack(text(), tokenizer, folder / "packed")
        size = shards.pack["vocab_size"]
        arms = {
            "trainer eager": trainer_round(config, shards, size, chosen.dtype, folder / "hf", chosen.steps),
            "ours eager": our_round(config, shards, size, chosen.dtype, False, chosen.steps),
        }
        if not chosen.no_compile:
            arms["ours compiled"] = our_round(config, shards, size, chosen.dtype, True, chosen.steps)
        seconds: dict[str, list[float]] = {arm: [] for arm in arms}
        peak = peaks(config.model.d_model, chosen.dtype)
        for _ in range(chosen.rounds):
            peak()
            for arm, run in arms.items():
                seconds[arm].append(run())
        flops = flops_per_token(build(config, size, 0), config.model.context)
        told = report(config, seconds, flops, chosen.dtype, peak())
        told["loss_by_source"] = telling(config, tokenizer, folder / "several") / min(seconds[list(arms)[-1]])
        if not chosen.no_compile:
            told["by_width"] = [
                by_width(wider(config, width), shards, size, chosen.dtype, chosen.rounds) for width in chosen.widths
            ]
        print(json.dumps(told, indent=2))


def telling(config: StudentConfig, tokenizer: Path, folder: Path) -> float:
    """CPU seconds that a step takes to add up its losses by 16 sources in 10 languages."""
    names = [f"source {number % 16}" for number in range(len(text()))]
    shards = pack(text(), tokenizer, folder, sources=names, languages=[name[-1] for name in names])
    codes, plan = Codes(shards), Stream(shards.pack["tokens"], config.model.context)
    batch = gather(shards, plan.places(0, 0, config.windows), masked=False)
    sums, nats = torch.zeros(2, codes.count + 1, dtype=torch.float64), torch.rand(config.batch_tokens)
    begun = time.process_time()
    for _ in range(TIMES):
        codes.add(batch.targets, batch.places.targets, nats, sums)
    return (time.process_time() - begun) / TIMES


def by_width(config: StudentConfig, shards: TokenShards, vocabulary: int, dtype: str, rounds: int) -> dict[str, Any]:
    """Ours compiled at this shape: tokens a CPU second and the share of the peak, one step a round."""
    torch.compiler.reset()
    run, peak = our_round(config, shards, vocabulary, dtype, True, 1), peaks(config.model.d_model, dtype)
    seconds = []
    for _ in range(rounds):
        peak()
        seconds.append(run())
    model = build(config, vocabulary, 0)
    best, flops = config.batch_tokens / min(seconds), flops_per_token(model, config.model.context)
    return {
        "width": config.model.d_model, "parameters": sum(item.numel() for item in model.parameters()),
        "tokens_per_cpu_second": round(best), "gemm_peak_gflops": round(peak() / 1e9, 1), "mfu": round(best * flops / peak(), 3),
    }  # fmt: skip


def report(
    config: StudentConfig, seconds: dict[str, list[float]], flops: float, dtype: str, peak: float
) -> dict[str, Any]:
    """Figures of each arm; ratios of the same round, so that a busy machine slows both sides."""
    base = seconds["trainer eager"]
    arms = {}
    for arm, values in seconds.items():
        ratios = [theirs / mine for theirs, mine in zip(base, values, strict=True)]
        best = config.batch_tokens / min(values)
        arms[arm] = {
            "tokens_per_cpu_second": round(best), "median": round(config.batch_tokens / statistics.median(values)),
            "ratio_to_trainer_best": round(min(base) / min(values), 3),
            "ratio_to_trainer_by_round": [round(ratio, 3) for ratio in ratios], "mfu": round(best * flops / peak, 3),
        }  # fmt: skip
    return {
        "shape": config.model.model_dump(),
        "dtype": dtype,
        "gemm_peak_gflops": round(peak / 1e9, 1),
        "flops_per_token": flops,
        "arms": arms,
    }


if __name__ == "__main__":
    main()
