"""Trains one student on a packed corpus. Killed anywhere, the same call goes on and ends with the same weights."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from corpus.errors import IncompleteError, StateError
from corpus.ids import digest
from trainer import checkpoint, files
from trainer.batches import batch
from trainer.config import StudentConfig
from trainer.export import export
from trainer.model import build, device_of, loss_of
from trainer.optimizers import optimizers_for, set_rates
from trainer.packing import TokenShards, check_tokenizer, open_shards
from trainer.precision import precision
from trainer.tokenizer import load_tokenizer

RESULT, MODEL = "result.json", "model"
COMPILE_FROM = 2000  # steps: the first compiled steps cost over a minute, won back only by long runs (measured)


@dataclass(frozen=True)
class Progress:
    """One look at a running student. `loss` is nats a token over the last step."""

    step: int
    steps: int
    loss: float
    tokens_per_second: float


@dataclass(frozen=True)
class TrainResult:
    """A trained student: its exported folder, its loss curve as (tokens, nats a token), and its cost."""

    model: Path
    curve: list[tuple[float, float]]
    tokens: int
    parameters: int
    seconds: float


def train(
    config: StudentConfig, shards: Path, tokenizer: Path, out: Path, *,
    progress: Callable[[Progress], None] = lambda _: None, should_stop: Callable[[], bool] = lambda: False,
) -> TrainResult:  # fmt: skip
    """Train to `config.steps` and export to `out/model`. Raises `IncompleteError` when stopped, after a checkpoint."""
    corpus = open_shards(shards)
    check_tokenizer(corpus, tokenizer)
    identity = digest("training", config.identity(), corpus.identity)
    if (out / RESULT).is_file():
        return _finished(out, identity)
    out.mkdir(parents=True, exist_ok=True)
    files.sweep(out)
    torch.set_num_threads(config.threads)
    torch.use_deterministic_algorithms(device_of(config).type == "cpu")
    return _Training(config, corpus, tokenizer, out, identity).run(progress, should_stop)


class _Training:
    """Model, optimizers and curve of one run."""

    def __init__(self, config: StudentConfig, corpus: TokenShards, tokenizer: Path, out: Path, identity: str) -> None:
        self._config, self._corpus, self._tokenizer, self._out, self._identity = (
            config,
            corpus,
            tokenizer,
            out,
            identity,
        )
        self._device = device_of(config)
        eos = corpus.pack["eos"]
        self.model: Any = build(config, load_tokenizer(tokenizer).get_vocab_size(), eos).to(self._device)
        self._step, self._curve, self._seconds = 0, [], 0.0  # type: int, list[list[float]], float
        found = checkpoint.newest(out)
        self._dtype = checkpoint.kept(found)["dtype"] if found else precision(config.dtype, self._device)
        self._optimizers = optimizers_for(self.model, config.optimizer, self._dtype)
        if found:
            self._step, kept = checkpoint.restore(found, identity, self.model, self._optimizers)
            self._curve, self._seconds = kept["points"], kept["seconds"]
        wanted = config.compile == "on" or (config.compile == "auto" and config.steps >= COMPILE_FROM)
        self._forward = torch.compile(self.model) if wanted else self.model

    def run(self, progress: Callable[[Progress], None], should_stop: Callable[[], bool]) -> TrainResult:
        """Step until the end."""
        config, begun, first = self._config, time.monotonic(), self._step
        before = self._seconds
        while self._step < config.steps:
            loss = self._one_step()
            self._step += 1
            spent = time.monotonic() - begun
            self._seconds = before + spent
            if self._step % config.log_every == 0 or self._step == config.steps:
                self._curve.append([self._step * config.batch_tokens, loss])
                progress(Progress(self._step, config.steps, loss, (self._step - first) * config.batch_tokens / spent))
            stop = should_stop()
            if stop or self._step % config.checkpoint_every == 0:
                self._save()
            if stop and self._step < config.steps:
                raise IncompleteError(f"training stopped at step {self._step} of {config.steps}; it goes on from there")
        return self._finish()

    def _one_step(self) -> float:
        config = self._config
        inputs, targets = batch(
            config.seed, self._step, self._corpus, windows=config.windows, context=config.model.context
        )
        set_rates(self._optimizers, self._step, config)
        size = (config.micro_batch_tokens or config.batch_tokens) // config.model.context
        total = 0.0
        for start in range(0, config.windows, size):
            given, wanted = (
                torch.from_numpy(part[start : start + size]).to(self._device) for part in (inputs, targets)
            )
            loss = loss_of(self._forward, given, wanted, self._dtype) / targets.size
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.optimizer.clip)
        for optimizer in self._optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if not total < float("inf"):
            raise StateError(f"the loss is {total} at step {self._step}", hint="lower the rates in student.optimizer")
        return total

    def _save(self) -> None:
        curve = {"points": self._curve, "seconds": self._seconds, "dtype": self._dtype}
        checkpoint.save(self._out, self._step, self._identity, self.model, self._optimizers, curve)

    def _finish(self) -> TrainResult:
        export(self.model, self._tokenizer, self._out / MODEL)
        count = sum(item.numel() for item in self.model.parameters())
        record = {
            "identity": self._identity, "curve": self._curve, "tokens": self._step * self._config.batch_tokens,
            "parameters": count, "seconds": round(self._seconds, 2), "dtype": self._dtype,
        }  # fmt: skip
        files.write_whole(self._out / RESULT, json.dumps(record).encode())
        return _finished(self._out, self._identity)


def _finished(out: Path, identity: str) -> TrainResult:
    record = json.loads((out / RESULT).read_text("utf-8"))
    if record["identity"] != identity:
        raise StateError(
            f"{out}: holds a student of another recipe or other data", hint="choose another folder, or delete it"
        )
    curve: Sequence[Sequence[float]] = record["curve"]
    return TrainResult(
        out / MODEL, [(a, b) for a, b in curve], record["tokens"], record["parameters"], record["seconds"]
    )
