"""What the student is taught besides the text: cached labels of the places it reads, or a teacher beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch

from corpus.errors import RecipeError
from trainer.batches import IGNORED, Batch, Places
from trainer.distil import Dense, Soft, entries_of
from trainer.distil_config import DistilConfig
from trainer.label_shards import LabelShards
from trainer.loss import Rule

GIVEN = "@given-text"  # in a teacher's name: it labelled text that it did not write


class Cached:
    """Soft labels made before."""

    def __init__(self, labels: LabelShards, config: DistilConfig) -> None:
        """Raises `RecipeError` when these labels cannot be such targets."""
        drawn, teacher = labels.facts["drawn"], labels.facts["teacher"]
        if drawn != (config.targets == "sampled"):
            held = "tokens drawn from the teacher" if drawn else "the likeliest tokens"
            raise RecipeError(f"student.distil.targets {config.targets}: the labels hold {held}",
                              hint="`hornbook teacher label --draws 50` makes targets to sample from")  # fmt: skip
        if config.targets == "unbiased" and teacher.endswith(GIVEN):
            raise RecipeError("student.distil.targets unbiased: only for text that the teacher itself drew, and these labels are of given text",
                              hint="use `sampled` (hornbook teacher label --draws 50) or `tail`")  # fmt: skip
        self._labels, self._config = labels, config

    def reads(self, batch: Batch, step: int) -> Batch:
        """The text as it is."""
        return batch

    def rule(self, part: Batch, inputs: torch.Tensor) -> Callable[[torch.Tensor], Rule]:
        """Labels of the part's targets that count."""
        places = part.places.targets.ravel()
        there = torch.from_numpy(part.targets.ravel()).to(inputs.device)

        def make(counted: torch.Tensor) -> Rule:
            at = places[counted.cpu().numpy()]
            ids = torch.from_numpy(self._labels.ids[at].astype(np.int64)).to(inputs.device)
            logs = torch.from_numpy(self._labels.logs[at].astype(np.float32)).to(inputs.device)
            targets = there[counted]
            return Soft(targets, entries_of(ids, logs, targets, self._config), self._config)

        return make


class Teacher(Protocol):
    """A model in this process."""

    def logits(
        self, inputs: torch.Tensor, positions: torch.Tensor | None, segments: torch.Tensor | None
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        """For tokens chosen of `inputs` (flat indices), its logits in the student's vocabulary; float32, −∞ where none."""
        ...


class Beside:
    """A teacher in this process, which sees what the student sees; in some steps that is what the student wrote (GKD:
    Agarwal et al. 2024, arXiv 2306.13649; no gradient goes through the writing)."""

    def __init__(self, teacher: Teacher, student: Any, config: DistilConfig, seed: int, tokens: int) -> None:
        """`tokens`: of the tokenizer; the student has more outputs than that, which it must not draw."""
        self._teacher, self._student, self._config, self._seed, self._tokens = teacher, student, config, seed, tokens

    def reads(self, batch: Batch, step: int) -> Batch:
        """The text, or in a share of the steps the student's own continuation of its first halves."""
        if np.random.Generator(np.random.PCG64([self._seed, step, 7])).random() >= self._config.on_policy:
            return batch
        half = batch.inputs.shape[1] // 2
        written = self._write(torch.from_numpy(batch.inputs[:, :half]), batch.inputs.shape[1] + 1 - half, step).numpy()
        targets = written[:, 1:].copy()
        targets[:, : half - 1] = IGNORED
        nowhere = np.full_like(targets, -1)
        return Batch(written[:, :-1].copy(), targets, Places(nowhere, nowhere), None, None)

    def rule(self, part: Batch, inputs: torch.Tensor) -> Callable[[torch.Tensor], Rule]:
        """The teacher's distributions at the part's targets. What the student wrote is no hard label, so α is 1 there."""
        own = bool((part.places.targets < 0).all())
        positions, segments = (
            None if item is None else torch.from_numpy(item).to(inputs.device)
            for item in (part.positions, part.segments)
        )
        targets = torch.from_numpy(part.targets.ravel()).to(inputs.device)
        logits = self._teacher.logits(inputs, positions, segments)

        def make(counted: torch.Tensor) -> Rule:
            chosen = counted.nonzero()[:, 0]
            share = torch.full((len(chosen),), 1.0 if own else self._config.alpha, device=inputs.device)
            return Dense(targets[counted], lambda rows: logits(chosen[rows]), share, self._config)

        return make

    def _write(self, prompts: torch.Tensor, more: int, step: int) -> torch.Tensor:
        device = next(self._student.parameters()).device
        padding = list(range(self._tokens, self._student.get_output_embeddings().weight.shape[0])) or None
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(hash((self._seed, step)) & 0x7FFFFFFF)
            found = self._student.generate(prompts.to(device), attention_mask=torch.ones_like(prompts, device=device), do_sample=True,
                                           top_k=0, max_new_tokens=more, min_new_tokens=more, use_cache=True,
                suppress_tokens=padding, pad_token_id=0)  # fmt: skip
        return found.cpu()  # type: ignore[no-any-return]
