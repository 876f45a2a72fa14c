"""Trains one student on a packed corpus. Killed anywhere, the same call goes on and ends with the same weights."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from corpus.errors import IncompleteError, RecipeError, StateError
from corpus.ids import digest
from trainer import checkpoint, files
from trainer.attention import suit_attention
from trainer.breakdown import Breakdown, Points
from trainer.compression.constrained import is_shared
from trainer.config import StudentConfig
from trainer.curves import trackers
from trainer.export import export
from trainer.loss import StudentLoss
from trainer.model import build, device_of
from trainer.optimizers import optimizers_for
from trainer.packing import TokenShards, check_tokenizer, open_shards
from trainer.precision import precision
from trainer.sharding import shard
from trainer.speed import flops_per_token, gemm_peak
from trainer.step import Losses, Stepper
from trainer.taught import Taught
from trainer.team import current_team
from trainer.tokenizer import load_tokenizer
from trainer.watch import Watch

RESULT, MODEL = "result.json", "model"
# FLOPs of a whole run from which compiling wins back what it costs: about five minutes of a CPU core, two of a GPU.
COMPILE_FROM = {"cpu": 2e13, "cuda": 1e16}


@dataclass(frozen=True)
class Progress:
    """One look at a running student. `loss` is nats a token over the last step; `mfu` the share of the matrix product
    that this processor was measured to reach; `seconds_left` at the pace so far; `watched`: the panels since
    the last look, where they were measured (see `Watch.changes`)."""

    step: int
    steps: int
    loss: float
    tokens_per_second: float
    mfu: float = 0.0
    seconds_left: float = 0.0
    watched: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainResult:
    """A trained student: its exported folder, its loss curve as (tokens, nats a token), and its cost; `by`: the curve by
    source and language, where there are several."""

    model: Path
    curve: list[tuple[float, float]]
    tokens: int
    parameters: int
    seconds: float
    by: Points
    watched: dict[str, list[list[float]]] = field(default_factory=dict)


def train(
    config: StudentConfig, shards: Path, tokenizer: Path, out: Path, *, taught: Taught | None = None,
    progress: Callable[[Progress], None] = lambda _: None, should_stop: Callable[[], bool] = lambda: False,
) -> TrainResult:  # fmt: skip
    """Train to `config.steps` and export to `out/model`. Raises `IncompleteError` when stopped, after a checkpoint.

    `taught`: what is learned besides the text (see trainer.taught). In a process group all members make the same call, on
    a folder that they share.
    """
    corpus = open_shards(shards)
    check_tokenizer(corpus, tokenizer)
    identity = digest(
        "training", config.identity(), corpus.identity, taught.identity if taught else "", _weights(config.init)
    )
    if (out / RESULT).is_file():
        return _finished(out, identity)
    team = current_team()
    if team.leads:
        out.mkdir(parents=True, exist_ok=True)
        files.sweep(out)
    team.wait()
    torch.set_num_threads(config.threads)
    torch.use_deterministic_algorithms(device_of(config).type == "cpu")
    return _Training(config, corpus, tokenizer, out, identity, taught).run(progress, should_stop)


class _Training:
    """Model, optimizers and curve of one run."""

    def __init__(
        self, config: StudentConfig, corpus: TokenShards, tokenizer: Path, out: Path, identity: str,
        taught: Taught | None,
    ) -> None:  # fmt: skip
        self._config, self._tokenizer, self._out, self._identity = config, tokenizer, out, identity
        self._device, self._team = device_of(config), current_team()
        self._parted = config.parallel == "fsdp" and self._team.size > 1
        model: Any = build(config, load_tokenizer(tokenizer).get_vocab_size(), corpus.pack["eos"]).to(self._device)
        suit_attention(model, config.model.context, self._device)
        self.model, self._step, self._seconds = model, 0, 0.0
        self._curve: list[list[float]] = []
        self._flops = flops_per_token(model, config.model.context)
        found = checkpoint.newest(out)
        kept = checkpoint.kept(found) if found else {}
        self._dtype = kept.get("dtype") or precision(config.dtype, self._device)
        self._compiled = kept.get("compiled", self._worth_compiling())
        if self._parted and is_shared(model):
            raise RecipeError("layers that share their weights cannot be trained in parts", hint="parallel: ddp")
        loss = StudentLoss(model, self._dtype, compiled=self._compiled)
        if self._parted:
            shard(loss, self._team.size, self._device)
        optimizers = optimizers_for(model, config.optimizer, self._dtype)
        if found:
            self._step, kept = checkpoint.restore(found, identity, model, optimizers)
            self._curve, self._seconds = kept["points"], kept["seconds"]
        self._optimizers = optimizers
        lesson = taught.make(model, self._device) if taught else None
        self._stepper = Stepper(config, corpus, loss, optimizers, self._team, self._device, lesson)
        self._by = Breakdown(self._stepper.codes)
        if found:
            self._by.restore(kept.get("by"))
        self._watch = Watch(config, tokenizer, self._device, kept.get("watched"))
        self._trackers = trackers(config, out, self._step, identity) if self._team.leads else ()

    def run(self, progress: Callable[[Progress], None], should_stop: Callable[[], bool]) -> TrainResult:
        """Step until the end."""
        try:
            self._steps(progress, should_stop)
        finally:
            for tracker in self._trackers:
                tracker.close()
        return self._finish()

    def _steps(self, progress: Callable[[Progress], None], should_stop: Callable[[], bool]) -> None:
        config, begun, before = self._config, time.monotonic(), self._seconds
        first = self._step
        self._look()
        while self._step < config.steps:
            losses = self._stepper.step(self._step)
            self._step += 1
            self._by.add(losses.by_code)
            spent = time.monotonic() - begun
            self._seconds = before + spent
            self._look()
            if self._step % config.log_every == 0 or self._step == config.steps:
                self._log(losses, (self._step - first) / spent, progress)
            stop = self._team.agreed(should_stop(), self._device)
            if stop or self._step % config.checkpoint_every == 0:
                self._save()
            if stop and self._step < config.steps:
                raise IncompleteError(f"training stopped at step {self._step} of {config.steps}; it goes on from there")

    def _log(self, losses: Losses, pace: float, progress: Callable[[Progress], None]) -> None:
        """`pace`: steps a second."""
        config, tokens = self._config, pace * self._config.batch_tokens
        self._curve.append([self._step * config.batch_tokens, losses.hard])
        peak = gemm_peak(self.model.config.hidden_size, self._dtype, str(self._device))
        mfu = tokens * self._flops / peak / self._team.size
        points = {
            "loss/nats_per_token": losses.hard, "loss/divergence": losses.soft, "loss/minimised": losses.total,
            "rate/share_of_peak": self._optimizers[0].param_groups[0]["lr"] / self._optimizers[0].param_groups[0]["peak"],
            "speed/tokens_per_second": tokens, "speed/mfu": mfu,
            **{f"loss_by_{name}": nats for name, nats in self._by.point(self._step * config.batch_tokens).items()},
        }  # fmt: skip
        for tracker in self._trackers:
            tracker.add(self._step, points)
        if self._team.leads:
            left = (config.steps - self._step) / pace
            progress(Progress(self._step, config.steps, losses.hard, tokens, mfu, left, self._watch.news()))

    def _look(self) -> None:
        """Measure the watched panels where it is time."""
        if self._watch.due(self._step):
            found = self._watch.measure(self.model, self._step)
            for tracker in self._trackers:
                tracker.add(self._step, {f"bits_per_byte/{name}": bits for name, bits in found.items()})

    def _worth_compiling(self) -> bool:
        config = self._config
        work = self._flops * config.steps * config.batch_tokens / config.workers
        return config.compile == "on" or (config.compile == "auto" and work >= COMPILE_FROM[self._device.type])

    def _save(self) -> None:
        curve = {"points": self._curve, "by": self._by.state(), "watched": self._watch.points, "seconds": self._seconds, "dtype": self._dtype,
                 "compiled": self._compiled}  # fmt: skip
        if self._team.leads or self._parted:
            checkpoint.save(
                self._out, self._step, self._identity, self.model, self._optimizers, curve, leads=self._team.leads
            )
        self._team.wait()

    def _finish(self) -> TrainResult:
        if self._team.leads or self._parted:
            export(self.model, self._tokenizer, self._out / MODEL, leads=self._team.leads)
        if self._team.leads:
            record = {
                "identity": self._identity, "curve": self._curve, "by": self._by.points, "watched": self._watch.points, "tokens": self._step * self._config.batch_tokens,
                "parameters": sum(item.numel() for item in self.model.parameters()), "seconds": round(self._seconds, 2),
                "dtype": self._dtype,
            }  # fmt: skip
            files.write_whole(self._out / RESULT, json.dumps(record).encode())
        self._team.wait()
        return _finished(self._out, self._identity)


def _weights(init: str) -> str:
    """What the weights of `init` are: the checksums of its files, or the name where it is one of a hub."""
    found = sorted(Path(init).glob("*.safetensors")) if init and Path(init).is_dir() else []
    return digest("weights", *map(files.checksum, found)) if found else init


def _finished(out: Path, identity: str) -> TrainResult:
    record = json.loads((out / RESULT).read_text("utf-8"))
    if record["identity"] != identity:
        raise StateError(
            f"{out}: holds a student of another recipe or other data", hint="choose another folder, or delete it"
        )
    curve: Sequence[Sequence[float]] = record["curve"]
    return TrainResult(
        out / MODEL,
        [(a, b) for a, b in curve],
        record["tokens"],
        record["parameters"],
        record["seconds"],
        record.get("by", {}),
        record.get("watched", {}),
    )
